<?php
// The script that examples/php.ts serves. The path is in REQUEST_URI: this script answers for all of them.
ini_set('display_errors', '0');
ini_set('log_errors', '1');
ini_set('error_log', ''); // the standard error, which the server prints

if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $picture = $_FILES['picture'] ?? ['name' => '', 'size' => 0];
    setcookie('name', $_POST['name'] ?? '', ['httponly' => true, 'samesite' => 'Lax']);
    header('Location: /thanks?' . http_build_query(['picture' => $picture['name'], 'size' => $picture['size']]), true, 303);
    exit;
}
if (str_starts_with($_SERVER['REQUEST_URI'], '/warning')) {
    trigger_error('the guestbook is nearly full', E_USER_WARNING);
}
$name = htmlspecialchars($_COOKIE['name'] ?? 'stranger');
$picture = htmlspecialchars($_GET['picture'] ?? 'none');
?>
<!doctype html>
<title>Guestbook</title>
<h1>Hello, <?= $name ?></h1>
<p>Your picture: <?= $picture ?> (<?= (int) ($_GET['size'] ?? 0) ?> bytes)</p>
<form method="post" action="/" enctype="multipart/form-data">
  <input name="name" placeholder="Your name"> <input name="picture" type="file"> <button>Sign</button>
</form>
