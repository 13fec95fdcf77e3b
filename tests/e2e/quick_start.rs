//! `docs/quick-start.md` as somebody follows it: its files and commands as they are written, but for the port and the place of
//! the archive.

use std::fs;
use std::process::Command;

use serde_json::Value;
use testbed::http::Request;
use testbed::port::free_address;
use testbed::traefik::{Setup, Traefik, root, temporary_directory};
use testbed::wait::wait;
use traefik_jwt_auth::core::about::VERSION;

/// A block of the page.
struct Block {
    language: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(Block { language: language.to_owned(), text: text.join("\n") + "\n" });
        }
    }
    blocks
}

/// Runs every block: files are named by their first line, `console` blocks are commands with what they print, and what is
/// `text` is in the log.
pub(crate) fn page() {
    let address = free_address();
    let page = fs::read_to_string(root().join("docs/quick-start.md")).unwrap();
    assert!(page.contains(&format!("-v{VERSION}.tar.gz")), "the page is about another version");
    let page = page.replace("127.0.0.1:8000", &address.to_string());
    let directory = temporary_directory("quick-start");
    let archive = root().join(format!("dist/release/traefik-jwt-auth-local-v{VERSION}.tar.gz"));
    fs::copy(&archive, directory.join(archive.file_name().unwrap())).unwrap();
    let bash = |command: &str| {
        let output = Command::new("bash").args(["-c", command]).current_dir(&directory).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let blocks = blocks(&page);
    let (mut answers, mut logged, mut with_provider) = (0, 0, None);
    let mut traefik = None;
    for Block { language, text } in &blocks {
        let name = text.lines().next().and_then(|line| line.strip_prefix("# "));
        match (language.as_str(), name) {
            ("yaml" | "sh", Some(file)) if !file.contains(',') => {
                fs::write(directory.join(file), text).unwrap();
            }
            ("yaml", Some(_)) => with_provider = Some(text),
            ("sh", _) if text.starts_with("traefik ") => {
                let configuration = text.trim_end().split_once('=').unwrap().1;
                traefik = Some(Traefik::run(&Setup::default(), directory.clone(), configuration, address));
                wait("the route is there", 60, || {
                    (Request::get("localhost", "/").try_send(address).ok()?.status == 401).then_some(())
                });
            }
            ("sh", _) => {
                let (succeeded, printed) = bash(text);
                assert!(succeeded, "{text}{printed}");
                assert_eq!(
                    printed.lines().filter(|name| [".traefik.yml", "plugin.wasm"].contains(name)).count(),
                    2
                );
            }
            ("console", _) => {
                let (command, expected) = text.split_once('\n').unwrap();
                let (succeeded, printed) = bash(command.strip_prefix("$ ").unwrap());
                assert!(succeeded, "{command}");
                let mut rest = printed.as_str();
                for line in expected.lines() {
                    let at =
                        rest.find(line).unwrap_or_else(|| panic!("{command}: {line} is not in\n{printed}"));
                    rest = rest.split_at(at).1;
                }
                answers += 1;
            }
            ("text", _) => {
                let log = fs::read_to_string(directory.join("stdout")).unwrap();
                assert!(log.contains(text.trim_end()), "{text} is not in\n{log}");
                logged += 1;
            }
            _ => panic!("a block of {language} that nothing is done with: {text}"),
        }
    }
    assert_eq!((answers, logged), (3, 2));
    // With a provider, whose keys are not needed before the first token: its `tests` have passed if a request is refused.
    fs::write(directory.join("dynamic.yml"), with_provider.unwrap()).unwrap();
    let traefik = traefik.unwrap();
    wait("the provider's configuration is in force", 60, || {
        let answer = Request::get("api.example.com", "/").try_send(traefik.address()).ok()?;
        let gone = Request::get("localhost", "/").try_send(traefik.address()).ok()?.status == 404;
        (gone && answer.status == 401).then_some(())
    });
    let file: Value = yaml_serde::from_str(with_provider.unwrap()).unwrap();
    assert!(file.pointer("/http/middlewares/only-with-a-token/plugin/jwt/tests/1").is_some());
}
