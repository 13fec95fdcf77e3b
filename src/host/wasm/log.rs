//! Writes log lines of the inner rings to Traefik's log. Never token bytes or key material.

use std::fmt;

use crate::core::about::VERSION;
use crate::core::config::ConfigError;
use crate::core::limits::MAX_SHOWN_CHARS;
use crate::core::refusal_log::LogLevel;
use crate::core::text::{cut, one_line};
use crate::host::wasm::abi::write_log;
use crate::keys::key_log;
use crate::keys::revocations::Event;
use crate::keys::source::KeyEvent;

const DEBUG: i32 = -1;
const INFO: i32 = 0;
const WARN: i32 = 1;
const ERROR: i32 = 2;

/// A problem of the configuration; the load fails after all problems are logged.
pub fn config_error(error: &ConfigError) {
    write(ERROR, format_args!("{error} (version {VERSION})"));
}

/// A panic: otherwise the host would show only a stack.
pub fn panic(text: &str) {
    write(ERROR, format_args!("panic: {}", cut(text, MAX_SHOWN_CHARS)));
}

/// A line of `refusal_log` or `key_log`, or one about the configuration.
pub fn line(level: LogLevel, line: &str) {
    let level = match level {
        LogLevel::Off => return,
        LogLevel::Debug => DEBUG,
        LogLevel::Info => INFO,
        LogLevel::Warn => WARN,
        LogLevel::Error => ERROR,
    };
    write(level, line);
}

/// Changes of key sets, and failures to load one.
pub fn key_events(events: &[KeyEvent]) {
    events.iter().flat_map(key_log::lines).for_each(|(level, text)| line(level, &text));
}

/// What happened to the list of revocations, or to the secret of nonces.
pub fn event(event: Option<Event>) {
    if let Some((level, text)) = event {
        line(level, &text);
    }
}

/// Whatever is written is one line of printable ASCII.
fn write(level: i32, text: impl fmt::Display) {
    write_log(level, &one_line(format_args!("traefik-jwt-auth: {text}")));
}
