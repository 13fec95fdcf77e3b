//! Log lines: one a refusal, one a key event, one a configuration problem. Never token bytes or key material.

use crate::core::config::ConfigError;
use crate::core::refusal_log::LogLevel;
use crate::host::abi::write_log;
use crate::keys::source::{KeyEvent, KeyEventKind};

const DEBUG: i32 = -1;
const INFO: i32 = 0;
const WARN: i32 = 1;
const ERROR: i32 = 2;

/// Longest text that a client or a provider can put into one line, in characters.
const MAX_FOREIGN: usize = 128;

/// A problem of the configuration; the load fails after all are told.
pub fn config_error(error: &ConfigError) {
    write_log(ERROR, &format!("traefik-jwt-auth: {error}"));
}

/// A panic: the host would otherwise show nothing but a stack.
pub fn panic(text: &str) {
    write_log(ERROR, &format!("traefik-jwt-auth: panic: {}", foreign(text)));
}

/// A refused request, in a line of `refusal_log`.
pub fn refusal(level: LogLevel, line: &str) {
    let level = match level {
        LogLevel::Off => return,
        LogLevel::Debug => DEBUG,
        LogLevel::Info => INFO,
        LogLevel::Warn => WARN,
    };
    write_log(level, &format!("traefik-jwt-auth: {line}"));
}

/// Changes of key sets, and failures to load one.
pub fn key_events(events: &[KeyEvent]) {
    events.iter().for_each(key_event);
}

fn key_event(event: &KeyEvent) {
    let place = foreign(&event.place);
    match &event.kind {
        KeyEventKind::Changed { added, removed, keys, skipped, age, next_refresh } => {
            let line = format!(
                "traefik-jwt-auth: {place}: {keys} keys, added [{}], removed [{}], age {} s, next refresh in {} s",
                list(added),
                list(removed),
                age.0,
                next_refresh.0
            );
            write_log(INFO, &line);
            if !skipped.is_empty() {
                write_log(WARN, &format!("traefik-jwt-auth: {place}: keys not used: {}", list(skipped)));
            }
        }
        KeyEventKind::Failed { error, serving_stale, retry_after } => {
            let then = if *serving_stale { "serving the keys from before" } else { "no keys to serve with" };
            let error = foreign(&error.to_string());
            let line = format!(
                "traefik-jwt-auth: {place}: {error}; {then}; next attempt in {} s or later",
                retry_after.0
            );
            write_log(WARN, &line);
        }
        KeyEventKind::Recovered => write_log(INFO, &format!("traefik-jwt-auth: {place}: available again")),
    }
}

fn list(names: &[String]) -> String {
    let mut text = names.iter().take(32).map(|name| foreign(name)).collect::<Vec<_>>().join(" ");
    if names.len() > 32 {
        text.push_str(" ...");
    }
    text
}

/// Text that somebody else chose: cut, and without anything that could start a line or steer a terminal.
fn foreign(text: &str) -> String {
    text.chars().take(MAX_FOREIGN).map(|c| if c.is_control() { '?' } else { c }).collect()
}
