<?php
// An ordinary application, as the servers of this folder have it. nginx serves the static file.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/json') {
  header('Content-Type: application/json');
  echo json_encode(['message' => 'Hello, World!', 'at' => [1, 2, 3], 'user' => ['id' => 7, 'name' => 'Ada']]);
} elseif ($path === '/upload') {
  header('Content-Type: text/plain; charset=utf-8');
  $sum = 0;
  foreach (array_keys($_FILES) as $name) $sum += array_sum((array) $_FILES[$name]['size']);
  echo $sum;
} elseif ($path === '/login') {
  session_start();
  $_SESSION = ['user' => $_POST['name'], 'visits' => 1];
  header('Content-Type: text/plain; charset=utf-8');
  echo "Hello, {$_POST['name']}";
} elseif ($path === '/page') {
  session_start();
  $visits = $_SESSION['visits'] + 1; // kept as it is, so that every answer is the same: the file is written all the same
  $_SESSION['last'] = $visits;
  $user = htmlspecialchars($_SESSION['user']);
  header('Content-Type: text/html; charset=utf-8');
  echo "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Catalogue</title><h1>Hello, $user</h1><p>Visit $visits</p><ul>";
  for ($n = 0; $n < 20; $n++) {
    $name = htmlspecialchars('Thread & needle no. ' . ($n + 1));
    echo '<li><a href="/items/' . ($n + 1) . "\">$name</a> " . number_format(1.5 + $n / 4, 2) . '</li>';
  }
  echo '</ul></html>';
} else {
  http_response_code(404);
}
