//! The documentation as a whole: links and anchors, files that it names, pages in the table of contents, and names of rows.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the repository by its path, but for what is built or fetched.
fn files() -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            let is_made = ["target", "dist", ".git", ".cache", "peers", "plugins-local"]
                .contains(&name.as_str())
                || name.contains("node_modules")
                || name.ends_with("/target");
            if is_made {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(name, path);
            }
        }
    }
    found
}

fn pages() -> BTreeMap<String, String> {
    let is_page = |name: &String| {
        let is_markdown = Path::new(name).extension().is_some_and(|extension| extension == "md");
        is_markdown && (name.starts_with("docs/") || !name.contains('/'))
    };
    let pages = files().into_iter().filter(|(name, _)| is_page(name));
    pages.map(|(name, path)| (name, fs::read_to_string(path).unwrap())).collect()
}

/// The lines of a page that are no code.
fn prose(page: &str) -> Vec<&str> {
    let mut is_code = false;
    let outside = page.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    });
    outside.collect()
}

/// What GitHub and mdBook make of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(page: &str) -> BTreeSet<String> {
    let lines = prose(page);
    let headings = lines.iter().filter(|line| line.starts_with('#'));
    let mut anchors: BTreeSet<String> = headings.map(|line| anchor(line.trim_start_matches('#'))).collect();
    for line in &lines {
        anchors.extend(line.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
    }
    anchors
}

/// Targets of the links of a page.
fn links(page: &str) -> Vec<String> {
    let lines = prose(page);
    let mut links = Vec::new();
    for line in lines {
        // A link inside of code is none.
        let line: String =
            line.split('`').enumerate().map(|(at, part)| if at % 2 == 0 { part } else { "code" }).collect();
        links.extend(line.split("](").skip(1).map(|rest| rest.split(')').next().unwrap().to_owned()));
    }
    links
}

/// `path` as it is seen from `page`, from the root of the repository.
fn from(page: &str, path: &str) -> String {
    let mut whole = PathBuf::new();
    for component in Path::new(page).parent().unwrap().join(path).components() {
        match component {
            Component::ParentDir => assert!(whole.pop(), "{page}: {path} leads out of the repository"),
            other
            @ (Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::Normal(_)) => {
                whole.push(other);
            }
        }
    }
    whole.to_str().unwrap().to_owned()
}

#[test]
fn links_lead_somewhere() {
    let (files, pages) = (files(), pages());
    let (mut seen, mut broken) = (0, Vec::new());
    for (name, page) in &pages {
        for link in links(page) {
            // An empty one is a chapter of the table of contents that is not written yet.
            if link.contains("://") || link.is_empty() {
                continue;
            }
            seen += 1;
            let (path, fragment) = link.split_once('#').unwrap_or((link.as_str(), ""));
            let target = if path.is_empty() { name.clone() } else { from(name, path) };
            let is_there = files.contains_key(&target) || root().join(&target).is_dir();
            let has_anchor = fragment.is_empty()
                || pages.get(&target).is_some_and(|page| anchors(page).contains(fragment));
            if !is_there || !has_anchor {
                broken.push(format!("{name}: {link}"));
            }
        }
    }
    assert!(seen > 150, "{seen}");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// `docs/NAME.md#anchor` in sources, scripts and examples.
#[test]
fn pages_that_files_name_exist() {
    let pages = pages();
    let (mut seen, mut broken) = (0, Vec::new());
    for (name, path) in files() {
        let Ok(text) = fs::read_to_string(path) else { continue };
        if name.starts_with("tests/documentation") || Path::new(&name).extension().is_some_and(|e| e == "md")
        {
            continue;
        }
        for rest in text.split("docs/").skip(1) {
            let is_of_name = |c: char| c.is_ascii_alphanumeric() || "-_/.#".contains(c);
            let reference = rest.split(|c| !is_of_name(c)).next().unwrap();
            let Some((page, behind)) = reference.split_once(".md") else { continue };
            let page = format!("docs/{page}.md");
            let fragment = behind.strip_prefix('#').unwrap_or_default().trim_end_matches('.');
            seen += 1;
            let has_anchor =
                pages.get(&page).is_some_and(|text| fragment.is_empty() || anchors(text).contains(fragment));
            if !has_anchor {
                broken.push(format!("{name}: docs/{reference}"));
            }
        }
    }
    assert!(seen > 30, "{seen}");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn files_that_contributors_are_sent_to_exist() {
    let files = files();
    let pages = pages();
    let is_there = |path: &str| {
        let path = path.trim_end_matches('/');
        files.keys().any(|file| {
            let file = format!("/{file}");
            file.ends_with(&format!("/{path}")) || file.contains(&format!("/{path}/"))
        })
    };
    let (mut seen, mut missing) = (0, Vec::new());
    for page in ["CONTRIBUTING.md", "docs/architecture.md", "docs/releasing.md"] {
        for span in pages[page].split('`').skip(1).step_by(2) {
            let is_path = span.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
                && (span.contains('/')
                    || ["rs", "sh", "py", "md", "yml", "yaml", "json", "toml", "txt"]
                        .iter()
                        .any(|extension| span.ends_with(&format!(".{extension}"))));
            let is_made =
                ["/", "target/", "dist/", "peers/", ".cache/"].iter().any(|made| span.starts_with(made));
            if is_path && !is_made {
                seen += 1;
                if !is_there(span) {
                    missing.push(format!("{page}: {span}"));
                }
            }
        }
    }
    assert!(seen > 80, "{seen}");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let pages = pages();
    let listed: BTreeSet<String> =
        links(&pages["docs/SUMMARY.md"]).iter().map(|link| format!("docs/{link}")).collect();
    let written: BTreeSet<String> =
        pages.into_keys().filter(|name| name.starts_with("docs/") && name != "docs/SUMMARY.md").collect();
    let missing: Vec<_> = written.difference(&listed).collect();
    assert!(missing.is_empty(), "not in docs/SUMMARY.md: {missing:?}");
}

/// Who does not know our words finds every page by their own.
#[test]
fn every_page_for_users_is_in_the_index() {
    let pages = pages();
    let linked: BTreeSet<String> = links(&pages["docs/index.md"])
        .iter()
        .map(|link| format!("docs/{}", link.split('#').next().unwrap_or_default()))
        .collect();
    let is_for_users = |name: &&String| {
        name.starts_with("docs/")
            && !name.starts_with("docs/measurements/")
            && !["index", "SUMMARY", "architecture", "releasing"]
                .iter()
                .any(|page| **name == format!("docs/{page}.md"))
    };
    let missing: Vec<_> = pages.keys().filter(is_for_users).filter(|name| !linked.contains(*name)).collect();
    assert!(missing.is_empty(), "not in docs/index.md: {missing:?}");
}

/// The matrix of `docs/install.md` says what `make test-compat` runs.
#[test]
fn the_matrix_of_versions_is_what_is_tested() {
    let versions = fs::read_to_string(root().join("scripts/versions.sh")).unwrap();
    let value = |name: &str| {
        let line = versions.lines().find_map(|line| line.strip_prefix(&format!("{name}=\""))).unwrap();
        line.trim_end_matches('"').to_owned()
    };
    let fetch: Vec<String> = value("TRAEFIK_COMPAT_FETCH").split(' ').map(str::to_owned).collect();
    let offline = value("TRAEFIK_COMPAT_OFFLINE").replace("$TRAEFIK_COMPAT_FETCH", &fetch.join(" "));
    let page = &pages()["docs/install.md"];
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| 3."))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let tested = |column: usize| -> BTreeSet<String> {
        let rows = rows.iter().filter(|row| row[column] == "tested");
        rows.map(|row| row[1].to_owned()).collect()
    };
    assert_eq!(tested(2), fetch.into_iter().collect::<BTreeSet<_>>());
    assert_eq!(tested(3), offline.split(' ').map(str::to_owned).collect::<BTreeSet<_>>());
}

/// Rows are read one by one, in the output of a run that failed.
#[test]
fn names_of_rows_make_sense_alone() {
    let of_the_row_before =
        ["and", "but", "or", "nor", "its", "their", "also", "so", "then", "unless", "neither", "never"];
    let (mut seen, mut found) = (0, Vec::new());
    for (name, path) in files() {
        if !name.starts_with("tests/cases/") {
            continue;
        }
        let file: Value = yaml_serde::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let mut names = BTreeSet::new();
        for case in file["cases"].as_array().unwrap() {
            let row = case["name"].as_str().unwrap();
            seen += 1;
            let first = row.split([' ', ',']).next().unwrap();
            if of_the_row_before.contains(&first)
                || row.starts_with("the same") && !row.starts_with("the same token")
            {
                found.push(format!("{name}: {row}"));
            }
            if !names.insert(row.to_owned()) {
                found.push(format!("{name}: {row}, twice"));
            }
        }
    }
    assert!(seen > 300, "{seen}");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A blank line in a table, or a bar too many, shows the rest of it as a paragraph of bars.
#[test]
fn tables_are_whole() {
    let cells = |row: &str| row.replace("\\|", "").matches('|').count();
    let (mut seen, mut broken) = (0, Vec::new());
    for (name, page) in pages() {
        let lines = prose(&page);
        for table in lines.split(|line| !line.starts_with('|')).filter(|rows| !rows.is_empty()) {
            seen += 1;
            let is_ruled = table.get(1).is_some_and(|row| row.chars().all(|c| "|-: ".contains(c)));
            let odd = table.iter().find(|row| !is_ruled || cells(row) != cells(table[0]));
            broken.extend(odd.map(|row| format!("{name}: {row}")));
        }
    }
    assert!(seen > 60, "{seen}");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
