<?php
// What PHP has of a request, by the variable in which an application would look.
$names = ["headers" => "X-User-Sub", "tokens" => "X-Token"];
$headers = array_filter($_SERVER, fn($name) => str_starts_with($name, "HTTP_"), ARRAY_FILTER_USE_KEY);
$all = array_change_key_case(getallheaders());
$seen = ["all" => [$headers, getallheaders(), getenv()]];
foreach ($names as $kind => $name) {
    $variable = "HTTP_" . strtoupper(strtr($name, "-", "_"));
    $seen[$kind] = [
        "\$_SERVER[$variable]" => $headers[$variable] ?? null,
        "getenv($variable)" => getenv($variable) ?: null,
        "getallheaders()[$name]" => $all[strtolower($name)] ?? null,
    ];
}
$seen["query"] = ['$_GET' => $_GET["a_token"] ?? null];
$seen["cookies"] = ['$_COOKIE' => $_COOKIE["a_token"] ?? null];
header("Content-Type: application/json");
echo json_encode($seen);
