//! What a table of 64 rules adds to a known token whose request is under the last of them.

use serde_json::json;
use testbed::traefik::{FETCH, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::usual::{configuration, rule_tables};

use crate::cost::{Row, fill};
use crate::tokens::known;
use crate::{median, more};

/// Prints the table.
pub(crate) fn measure() {
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    let token = [known("EdDSA")];
    let row = |name: &str, host: &str| Row::to(name, host, "/orders?id=1", "200", &token);
    routes.open("plain");
    routes.protect("none", FETCH, &configuration());
    let mut rows = vec![row("plain route", "plain"), row("no rules", "none")];
    let one = ("one rule", json!([{"methods": "GET", "paths": "/orders"}]));
    for (number, (name, rules)) in [one].into_iter().chain(rule_tables()).enumerate() {
        let mut configuration = configuration();
        configuration["rules"] = rules;
        let host = format!("rules-{number}");
        routes.protect(&host, FETCH, &configuration);
        rows.push(row(name, &host));
    }
    traefik.configure(&routes);
    fill(&mut rows, &|| traefik.cpu_nanoseconds(), traefik.address());
    let none = rows[1].figures.clone();
    println!("| rules | µs | over no rules |\n|---|---|---|");
    for row in &rows {
        println!("| {} | {:.1} | {:+.1} |", row.name, median(row.figures.clone()), more(&row.figures, &none));
    }
}
