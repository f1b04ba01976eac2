//! Selections of a record's fields: patterns over keys, applied to nested records.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::json::Reader;
use super::path::parse_path;
use super::schema::{ListType, RecordSchema, Shape, nested};
use crate::error::{Error, ErrorKind};

/// The depth from which lists of lists are selected as a whole or not at all.
const DEEPEST: usize = 100;

/// A rule of `--select`: `invoices.*`, `!invoices.metadata`, `*.lines.amount`. A field includes everything within it;
/// in a name `*` stands for any characters and `?` for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectRule {
    text: String,
    exclude: bool,
    resource: String,
    keys: Arc<[String]>,
}

impl SelectRule {
    /// Returns whether the rule applies to that resource.
    pub fn is_about(&self, resource: &str) -> bool {
        matches(&self.resource, resource)
    }

    /// Returns the pattern of the resource.
    pub(crate) fn resource(&self) -> &str {
        &self.resource
    }

    /// Returns the first key that no field of the struct matches, and the names that it may have;
    /// `None`: the struct has such a field, or may hold it in a field without a schema.
    pub(crate) fn unknown(
        &self,
        schema: &'static RecordSchema,
    ) -> Option<(&str, Vec<&'static str>)> {
        unknown(schema, &self.keys)
    }

    /// Returns whether the rule selects or excludes the value at this path, or a part of it.
    pub(crate) fn touches(&self, path: &[String]) -> bool {
        let mut pairs = self.keys.iter().zip(path);
        pairs.all(|(pattern, key)| matches(pattern, key))
    }

    /// Creates the rule that leaves a field out. In its names `*` and `?` match more than
    /// themselves: a field with such a key is left out together with others.
    #[cfg(feature = "singer")]
    pub(crate) fn without(resource: &str, keys: Vec<String>) -> Self {
        SelectRule {
            text: format!("!{resource}.{}", keys.join(".")),
            exclude: true,
            resource: resource.to_owned(),
            keys: keys.into(),
        }
    }

    /// Creates a rule with these keys.
    #[cfg(test)]
    pub(crate) fn of(exclude: bool, resource: &str, keys: Vec<String>) -> Self {
        SelectRule {
            text: keys.join("."),
            exclude,
            resource: resource.to_owned(),
            keys: keys.into(),
        }
    }
}

impl fmt::Display for SelectRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for SelectRule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let (exclude, path) = match text.strip_prefix('!') {
            Some(path) => (true, path),
            None => (false, text),
        };
        match path.split_once('.') {
            Some((resource, keys)) if !resource.is_empty() && !keys.is_empty() => Ok(SelectRule {
                text: text.to_owned(),
                exclude,
                resource: resource.to_owned(),
                keys: parse_path(keys).into(),
            }),
            _ => Err(
                Error::new(ErrorKind::Usage, format!("`{text}` selects nothing")).hint(
                    "write RESOURCE.FIELD, for example 'invoices.*', 'invoices.lines.amount', '!invoices.metadata'",
                ),
            ),
        }
    }
}

fn unknown<'a>(
    schema: &'static RecordSchema,
    keys: &'a [String],
) -> Option<(&'a str, Vec<&'static str>)> {
    let (key, below) = keys.split_first().filter(|_| !schema.whole)?;
    let fields = schema.fields.iter();
    let mut first = None;
    for field in fields.filter(|field| matches(key, field.key)) {
        let shape = field.shape();
        let found = match nested(shape) {
            _ if below.is_empty() || is_loose(shape) => None,
            Some(schema) => unknown(schema, below),
            None => Some((below[0].as_str(), Vec::new())),
        };
        first.get_or_insert(found?);
    }
    let names = || schema.fields.iter().map(|field| field.key).collect();
    Some(first.unwrap_or_else(|| (key.as_str(), names())))
}

fn is_loose(shape: Shape) -> bool {
    match shape {
        Shape::Json | Shape::Dynamic => true,
        Shape::List(ListType { item, .. }) => is_loose(*item),
        _ => false,
    }
}

/// Returns whether a name matches the pattern.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut next) = (0, 0);
    // The position of the last `*`, and the position in the name where its rest was tried.
    let mut star: Option<(usize, usize)> = None;
    while at < name.len() {
        match pattern.get(next) {
            Some('*') => {
                star = Some((next, at));
                next += 1;
            }
            Some(letter) if *letter == '?' || *letter == name[at] => {
                (at, next) = (at + 1, next + 1);
            }
            _ => match star {
                Some((place, tried)) => {
                    star = Some((place, tried + 1));
                    (at, next) = (tried + 1, place + 1);
                }
                None => return false,
            },
        }
    }
    pattern[next..].iter().all(|letter| *letter == '*')
}

/// The remaining keys of a pattern.
#[derive(Clone, Debug)]
struct Rest {
    keys: Arc<[String]>,
    at: usize,
}

/// The selection within a value that is selected in part.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// Whether keys that no pattern names are selected.
    included: bool,
    include: Vec<Rest>,
    exclude: Vec<Rest>,
    /// Keys, not patterns, that are always selected.
    always: Vec<Rest>,
}

/// How much of a value is selected.
#[derive(Clone, Debug)]
pub(crate) enum Kept {
    All,
    Part(Selection),
    Nothing,
}

impl Selection {
    /// Creates the selection of a resource by these rules; `always` are paths that stay selected.
    /// `None` means everything.
    pub fn new(rules: &[SelectRule], resource: &str, always: Vec<Vec<String>>) -> Option<Self> {
        let own: Vec<&SelectRule> = rules.iter().filter(|r| r.is_about(resource)).collect();
        let of = |exclude: bool| -> Vec<Rest> {
            let rules = own.iter().filter(|rule| rule.exclude == exclude);
            let rest = rules.map(|rule| Rest {
                keys: rule.keys.clone(),
                at: 0,
            });
            rest.collect()
        };
        let (include, exclude) = (of(false), of(true));
        let always = always.into_iter().map(|keys| Rest {
            keys: keys.into(),
            at: 0,
        });
        (!own.is_empty()).then(|| Selection {
            included: include.is_empty(),
            include,
            exclude,
            always: always.collect(),
        })
    }

    /// Returns whether a scalar here is selected.
    pub fn takes_scalars(&self) -> bool {
        self.included
    }

    /// Returns the selection at a key of this value.
    pub fn below(&self, key: &str) -> Kept {
        let mut next = Selection {
            included: self.included,
            ..Selection::default()
        };
        if follow(&self.always, |name| name == key, &mut next.always) {
            return Kept::All;
        }
        next.included |= follow(&self.include, |name| matches(name, key), &mut next.include);
        if follow(&self.exclude, |name| matches(name, key), &mut next.exclude) {
            next.included = false;
            next.include.clear();
        }
        match next.included {
            true if next.exclude.is_empty() => Kept::All,
            false if next.include.is_empty() && next.always.is_empty() => Kept::Nothing,
            _ => Kept::Part(next),
        }
    }

    /// Returns the selected part of this JSON; an item of a list with nothing selected becomes
    /// null, so that the others keep their positions.
    pub fn prune(&self, raw: &str) -> Option<String> {
        let mut out = String::with_capacity(raw.len());
        self.write(&mut Reader::new(raw), &mut out, 0)
            .then_some(out)
    }

    /// Writes the selected part of the next value; false means that nothing is selected and nothing
    /// was written. The text was valid JSON when it was read, so no error is possible.
    fn write(&self, reader: &mut Reader<'_>, out: &mut String, depth: usize) -> bool {
        match reader.peek() {
            b'{' if depth < DEEPEST => {
                out.push('{');
                let mut more = reader.open(b'}');
                while more && let Ok(key) = reader.key() {
                    let raw = key.raw;
                    let text = key.decode();
                    let before = out.len();
                    if !out.ends_with('{') {
                        out.push(',');
                    }
                    out.push_str(&format!("\"{raw}\":"));
                    let wanted = match self.below(text.as_deref().unwrap_or(raw)) {
                        Kept::Part(part) => part.write(reader, out, depth + 1),
                        kept => {
                            let value = reader.raw().unwrap_or_default();
                            let all = matches!(kept, Kept::All);
                            out.push_str(if all { value } else { "" });
                            all
                        }
                    };
                    if !wanted {
                        out.truncate(before);
                    }
                    more = matches!(reader.more(b'}'), Ok(true));
                }
                out.push('}');
                true
            }
            b'[' if depth < DEEPEST => {
                out.push('[');
                let mut more = reader.open(b']');
                while more {
                    if !self.write(reader, out, depth + 1) {
                        out.push_str("null");
                    }
                    more = matches!(reader.more(b']'), Ok(true));
                    out.push_str(if more { "," } else { "" });
                }
                out.push(']');
                true
            }
            _ => {
                let value = reader.raw().unwrap_or_default();
                out.push_str(if self.included { value } else { "" });
                self.included
            }
        }
    }
}

/// Follows patterns to a key, collecting those that continue in `next`; returns whether one ends
/// there.
fn follow(rests: &[Rest], is: impl Fn(&str) -> bool, next: &mut Vec<Rest>) -> bool {
    let mut ends = false;
    for rest in rests
        .iter()
        .filter(|rest| rest.keys.get(rest.at).is_some_and(|key| is(key)))
    {
        match rest.at + 1 == rest.keys.len() {
            true => ends = true,
            false => next.push(Rest {
                keys: rest.keys.clone(),
                at: rest.at + 1,
            }),
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(rules: &[&str], always: &[&str]) -> Option<Selection> {
        let rules: Vec<SelectRule> = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        Selection::new(
            &rules,
            "r",
            always.iter().map(|path| parse_path(path)).collect(),
        )
    }

    const RECORD: &str =
        r#"{"id":1,"a":{"b":1,"c":{"d":2,"e":3}},"l":[{"x":1,"y":2},7,null],"a_at":4,"":5}"#;

    #[test]
    fn patterns_name_fields_with_all_that_is_in_them() {
        for (rules, always, kept) in [
            (
                &["r.a"] as &[&str],
                &[] as &[&str],
                r#"{"a":{"b":1,"c":{"d":2,"e":3}}}"#,
            ),
            (&["r.a.c.d"], &["id"], r#"{"id":1,"a":{"c":{"d":2}}}"#),
            (
                &["r.*", "!r.a.*.d", "!r.l"],
                &[],
                r#"{"id":1,"a":{"b":1,"c":{"e":3}},"a_at":4,"":5}"#,
            ),
            (&["!r.*"], &["a.c.e"], r#"{"a":{"c":{"e":3}}}"#),
            (
                &["r.l.x", "r.?d"],
                &[],
                r#"{"id":1,"l":[{"x":1},null,null]}"#,
            ),
            (
                &["r.*_at", "*.a.b", "other.id"],
                &[],
                r#"{"a":{"b":1},"a_at":4}"#,
            ),
            (
                &["!r.l.*"],
                &[],
                r#"{"id":1,"a":{"b":1,"c":{"d":2,"e":3}},"l":[{},7,null],"a_at":4,"":5}"#,
            ),
            (&["r.a", "!r.a"], &[], "{}"),
        ] {
            let selection = selection(rules, always).unwrap();
            assert_eq!(selection.prune(RECORD).unwrap(), kept, "{rules:?}");
        }
        assert!(selection(&["other.*", "!o*.id"], &["id"]).is_none());
    }

    #[test]
    fn names_match_patterns() {
        for (pattern, name, is) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("*b*b", "abab", true),
            ("a?", "aé", true),
            ("a?", "a", false),
            ("", "", true),
            ("**x", "yx", true),
        ] {
            assert_eq!(matches(pattern, name), is, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_how_one_looks() {
        for text in ["", "invoices", "!invoices", ".id", "invoices."] {
            let error = text.parse::<SelectRule>().unwrap_err().report();
            assert!(error.contains("RESOURCE.FIELD"), "{text}: {error}");
        }
    }
}
