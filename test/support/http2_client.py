"""A client on top of python3-h2, which checks every frame that it is sent. It asks for several things at once, and prints a line for each answer.

    python3 http2_client.py PORT tls|clear HOW_MANY_SMALL_ONES FILE_TO_UPLOAD
"""
import hashlib, socket, ssl, sys
import h2.config, h2.connection, h2.events
host, port, tls, several = '127.0.0.1', int(sys.argv[1]), sys.argv[2] == 'tls', int(sys.argv[3])
up = open(sys.argv[4], 'rb').read()
sock = socket.create_connection((host, port), 10)
if tls:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(['h2'])
    sock = context.wrap_socket(sock, server_hostname='localhost')
    assert sock.selected_alpn_protocol() == 'h2'
conn = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding='utf-8'))
conn.initiate_connection()
todo = [('GET', '/a?b', b''), ('POST', '/', b'a body'), ('GET', '/down', b''), ('PUT', '/up', up)]
todo += [('POST', '/%d' % i, b'body %d' % i) for i in range(several)]
left, answers, names = {}, {}, {}
for method, path, body in todo:
    stream = conn.get_next_available_stream_id()
    names[stream] = path
    conn.send_headers(stream, [(':method', method), (':path', path), (':scheme', 'https' if tls else 'http'), (':authority', 'localhost')], end_stream=not body)
    if body: left[stream] = body
    answers[stream] = b''
def push():
    for stream in list(left):
        while left[stream]:
            size = min(conn.local_flow_control_window(stream), conn.max_outbound_frame_size, len(left[stream]))
            if size == 0: break
            conn.send_data(stream, left[stream][:size], end_stream=size == len(left[stream]))
            left[stream] = left[stream][size:]
        if not left[stream]: del left[stream]
open_streams = set(answers)
while open_streams:
    push()
    sock.sendall(conn.data_to_send())
    data = sock.recv(65536)
    assert data, 'the connection ended'
    for event in conn.receive_data(data):
        if isinstance(event, h2.events.DataReceived):
            answers[event.stream_id] += event.data
            conn.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.ResponseReceived):
            assert dict(event.headers)[':status'] == '200', event.headers
        elif isinstance(event, h2.events.StreamEnded):
            open_streams.discard(event.stream_id)
        elif isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
            raise Exception(repr(event))
for stream, body in answers.items():
    print(names[stream], hashlib.md5(body).hexdigest() if len(body) > 1000 else body.decode())
conn.close_connection()
sock.sendall(conn.data_to_send())
