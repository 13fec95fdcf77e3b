//! `require` of agilezebra/jwt-middleware: claims and what they have to be, as a tree.

use serde_json::{Map, Value};

use crate::convert::old::{Old, object, text};
use crate::convert::rule::{Function, Piece, Rule, Text};
use crate::convert::target::{Target, few};

pub(super) fn of(old: &mut Old, issuers: &[String], target: &mut Target) {
    let Some((name, value)) = old.take("require") else { return };
    let Some(mut claims) = object(&value) else {
        target.left(&name, "is no object");
        return;
    };
    target.became(&name, "claims");
    let is_tree = claims.len() == 1 && claims.keys().all(|key| key.starts_with('$'));
    if !is_tree {
        let simple: [(&str, Simple); 4] =
            [("iss", issuer), ("aud", audience), ("scope", scopes), ("scp", scopes)];
        for (claim, simple) in simple {
            let values = claims.get(claim).and_then(values);
            let path = format!("{name}.{claim}");
            if values.is_some_and(|values| simple(&path, claim, &values, issuers, target)) {
                claims.remove(claim);
            }
        }
    }
    if !claims.is_empty() {
        let rule = tree(&name, &[], &Value::Object(claims), "$and", target);
        if rule.is_closed() {
            target.comment("claims", "A part has to be written by hand. Until then no token is accepted.");
        }
        target.require(rule);
    }
}

type Simple = fn(&str, &str, &[String], &[String], &mut Target) -> bool;

/// Texts of which one has to be there; `None` for everything else.
fn values(value: &Value) -> Option<Vec<String>> {
    let plain = |value: &Value| {
        value.as_str().filter(|text| !text.is_empty() && !text.contains("{{")).map(str::to_owned)
    };
    if let Some(elements) = value.as_array().filter(|elements| !elements.is_empty()) {
        return elements.iter().map(plain).collect();
    }
    if let Some(members) = value.as_object().filter(|members| members.len() == 1) {
        return members.get("$or").and_then(values);
    }
    Some(vec![plain(value)?])
}

fn issuer(path: &str, _: &str, values: &[String], issuers: &[String], target: &mut Target) -> bool {
    let is_part = values.iter().all(|value| issuers.contains(value));
    let top = target.options.get("issuer").is_some();
    if (issuers.is_empty() || (is_part && top)) && !target.options.contains_key("trustedIssuers") {
        target.set("issuer", few(values));
        target.became(path, "issuer");
        return true;
    }
    false
}

fn audience(path: &str, _: &str, values: &[String], _: &[String], target: &mut Target) -> bool {
    target.set("audience", few(values));
    target.became(path, "audience");
    true
}

/// There, `scope` is compared as a whole, unless it is a list.
fn scopes(path: &str, claim: &str, values: &[String], _: &[String], target: &mut Target) -> bool {
    if values.iter().any(|value| value.contains(' ')) || target.options.contains_key("scopes") {
        return false;
    }
    target.set_in("scopes", "required", few(values));
    if values.len() > 1 {
        target.set_in("scopes", "match", "any");
    }
    if claim == "scp" {
        target.set_in("scopes", "claim", "scp");
    }
    target.became(path, "scopes");
    target.wider.push(format!(
        "scopes: a text with several scopes is taken apart; there, {claim} has to be exactly the one that is required"
    ));
    true
}

/// The requirement `value` on the claim at `path`.
fn tree(from: &str, path: &[String], value: &Value, group: &str, target: &mut Target) -> Rule {
    match value {
        Value::Array(elements) => {
            let mut rules = Vec::new();
            for (at, element) in elements.iter().enumerate() {
                rules.push(tree(&format!("{from}[{at}]"), path, element, group, target));
            }
            if rules.is_empty() && group == "$and" {
                target.left(from, "an empty list requires nothing");
            } else if rules.is_empty() {
                target.left(from, "an empty list is met by nothing");
            }
            if group == "$or" { Rule::Any(rules) } else { Rule::All(rules) }
        }
        Value::Object(members) => members_of(from, path, members, target),
        Value::Null => closed(from, "null is met by nothing", target),
        // The whole of `require` is an object.
        _ if path.is_empty() => closed(from, "is no claim", target),
        Value::Bool(_) => {
            target.became(from, "claims");
            target.wider.push(format!(
                "claims: {} may be {value}; there, no boolean is ever accepted",
                path.join(".")
            ));
            Rule::claim(Function::OneOf, path, vec![Text::plain(&text(value))])
        }
        Value::Number(_) => {
            target.became(from, "claims");
            target.wider.push(format!(
                "claims: {} may be the text \"{value}\" as well as the number",
                path.join(".")
            ));
            Rule::claim(Function::OneOf, path, vec![Text::plain(&text(value))])
        }
        Value::String(value) => match template(value) {
            Some(wanted) => {
                target.became(from, "claims");
                if wanted.is_of_request() && value.contains(".Host") {
                    target.wider.push(format!(
                        "claims: {{host}} in {} has no port, so every port of the host is accepted",
                        path.join(".")
                    ));
                }
                // A number or a boolean in the token is compared as it is written there.
                let other = match serde_json::from_str(value) {
                    Ok(Value::Number(_)) => "number",
                    Ok(Value::Bool(_)) => "boolean",
                    _ => "",
                };
                if !other.is_empty() {
                    let path = path.join(".");
                    target
                        .wider
                        .push(format!("claims: {path} may be the {other} {value} as well as the text"));
                }
                let function = if value.is_empty() { Function::Equals } else { Function::OneOf };
                Rule::claim(function, path, vec![wanted])
            }
            None => closed(
                from,
                "of the request, only the host and the method can be compared with a claim as they are there; {path} is \
                 the path without the query, and a variable of the environment is put in by Traefik's templates",
                target,
            ),
        },
    }
}

fn members_of(from: &str, path: &[String], members: &Map<String, Value>, target: &mut Target) -> Rule {
    let only = members.iter().next().filter(|_| members.len() == 1);
    if let Some((key, value)) = only.filter(|(key, _)| key.starts_with('$')) {
        let from = format!("{from}.{key}");
        return match key.as_str() {
            "$and" | "$or" => tree(&from, path, value, key, target),
            _ => closed(&from, "is none of $and and $or", target),
        };
    }
    let mut rules = Vec::new();
    for (name, value) in members {
        let from = format!("{from}.{name}");
        if name.is_empty() || name.contains("{{") {
            rules.push(closed(
                &from,
                "the name of a claim cannot depend on the request, or be empty",
                target,
            ));
        } else {
            if name.bytes().all(|byte| byte.is_ascii_digit()) {
                target
                    .wider
                    .push(format!("claims: {name} in {from} is a position, too, if the claim is a list"));
            }
            rules.push(tree(&from, &[path, std::slice::from_ref(name)].concat(), value, "$or", target));
        }
    }
    if rules.is_empty() {
        return closed(from, "an empty object requires nothing of its members", target);
    }
    Rule::All(rules)
}

/// Something that cannot be said here: nothing is accepted until it is written by hand.
fn closed(from: &str, why: &str, target: &mut Target) -> Rule {
    target.left(from, why);
    Rule::Never
}

/// A value with Go's templates; `None` if it has others than the host and the method.
fn template(value: &str) -> Option<Text> {
    let mut pieces = Vec::new();
    let mut rest = value;
    while let Some((before, inner)) = rest.split_once("{{") {
        let (variable, behind) = inner.split_once("}}")?;
        if !before.is_empty() {
            pieces.push(Piece::Plain(before.to_owned()));
        }
        pieces.push(match variable.trim() {
            ".Host" => Piece::Host,
            ".Method" => Piece::Method,
            _ => return None,
        });
        rest = behind;
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Plain(rest.to_owned()));
    }
    Some(Text(pieces))
}
