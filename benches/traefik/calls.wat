;; The host calls of a known token with two forwarded claims, and nothing else: what is left of a request's cost when
;; the guest's own work takes no time.
(module
  (import "http_handler" "get_header_names" (func $names (param i32 i32 i32) (result i64)))
  (import "http_handler" "get_header_values" (func $values (param i32 i32 i32 i32 i32) (result i64)))
  (import "http_handler" "set_header_value" (func $set (param i32 i32 i32 i32 i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "Authorization                   X-User-Sub      X-User-Email    ")
  (data (i32.const 64) "8f14e45f-ceea-467f-ab13-1c2d3e4f5a6balice@example.com")
  (func (export "handle_request") (result i64)
    (drop (call $clock (i32.const 0) (i64.const 1) (i32.const 512)))
    (drop (call $values (i32.const 0) (i32.const 0) (i32.const 13) (i32.const 1024) (i32.const 2048)))
    (drop (call $names (i32.const 0) (i32.const 4096) (i32.const 2048)))
    (call $set (i32.const 0) (i32.const 32) (i32.const 10) (i32.const 64) (i32.const 36))
    (call $set (i32.const 0) (i32.const 48) (i32.const 12) (i32.const 100) (i32.const 17))
    (i64.const 1))
  (func (export "handle_response") (param i32 i32)))
