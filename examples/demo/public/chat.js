/* The chat in the page: lines come over a websocket; when it is cut, another one is opened. */

const [lines, form, text, state] = ['lines', 'form', 'text', 'state'].map((id) => document.getElementById(id));
let socket;

function connect() {
  socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/chat/socket`);
  socket.addEventListener('open', () => {
    lines.replaceChildren(); // the server sends the last lines again
    state.textContent = 'You are in.';
  });
  socket.addEventListener('message', (event) => show(JSON.parse(event.data)));
  socket.addEventListener('close', () => {
    state.textContent = 'The line is cut. Trying again …';
    setTimeout(connect, 1000);
  });
}

/** Others' lines are inserted as text, never as HTML. */
function show(line) {
  const item = document.createElement('li');
  item.className = line.isNews ? 'news' : '';
  item.append(element('b', line.name), ` ${line.text} `, element('small', `process ${line.pid}`));
  lines.append(item);
  lines.parentElement.scrollTop = lines.parentElement.scrollHeight;
}

function element(name, content) {
  return Object.assign(document.createElement(name), { textContent: content });
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (text.value === '' || socket.readyState !== WebSocket.OPEN) return;
  socket.send(text.value);
  text.value = '';
});

connect();
