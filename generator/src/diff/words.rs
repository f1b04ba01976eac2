//! Describes decisions in a few words for a report.

use etlgen_model::{
    Contract, Deletes, Embedded, EmbeddedPlace, Entity, Meaning, Order, Paginator, ResponsePath,
    Total,
};

use super::{Change, Group, Kind, Level};
use crate::diagnostics::counted;
use crate::plan::{
    Auth, Cursor, FieldRef, Format, KeyPlace, Parameter, ParameterPlace, ParameterValue, Parent,
    Setting,
};

impl Change {
    /// Creates a change of the lowest levels.
    pub(super) fn new(group: Group, kind: Kind, subject: &str) -> Change {
        Change {
            group,
            kind,
            subject: subject.to_owned(),
            before: None,
            after: None,
            rust: Level::Patch,
            tables: Level::Patch,
            place: None,
            elsewhere: 0,
            migration: None,
        }
    }

    pub(super) fn was(mut self, before: &str) -> Change {
        self.before = Some(before.to_owned());
        self
    }

    pub(super) fn is(mut self, after: &str) -> Change {
        self.after = Some(after.to_owned());
        self
    }

    pub(super) fn levels(mut self, rust: Level, tables: Level) -> Change {
        (self.rust, self.tables) = (rust, tables);
        self
    }

    pub(super) fn at(mut self, place: impl Into<String>) -> Change {
        self.place = Some(place.into());
        self
    }

    pub(super) fn elsewhere(mut self, resources: usize) -> Change {
        self.elsewhere = resources;
        self
    }

    pub(super) fn migrate(mut self, migration: impl Into<String>) -> Change {
        self.migration = Some(migration.into());
        self
    }
}

pub fn list(words: &[String]) -> String {
    match words {
        [] => "none".to_owned(),
        words => words.join(", "),
    }
}

pub fn auth(auth: &Auth) -> String {
    match auth {
        Auth::None => "none".to_owned(),
        Auth::Bearer(setting) => format!("bearer token ({setting})"),
        Auth::Basic(user, password) => format!("basic ({user}, {password})"),
        Auth::Keys(keys) => {
            let key = |key: &crate::plan::Key| {
                let place = match key.place {
                    KeyPlace::Header => "header",
                    KeyPlace::Query => "parameter",
                    KeyPlace::Cookie => "cookie",
                };
                let prefix = key.prefix.trim();
                let prefix = match prefix {
                    "" => String::new(),
                    prefix => format!(", {prefix}"),
                };
                format!("{place} {}{prefix} ({})", key.name, key.setting)
            };
            list(&keys.iter().map(key).collect::<Vec<_>>())
        }
        Auth::OAuth2 {
            token_url, scopes, ..
        } => match scopes.as_slice() {
            [] => format!("OAuth client at {token_url}"),
            scopes => format!("OAuth client at {token_url} for {}", scopes.join(" ")),
        },
        Auth::Password { token_url, .. } => format!("OAuth user and password at {token_url}"),
        Auth::Refresh { token_url, .. } => format!("OAuth refresh token at {token_url}"),
        Auth::Login { path, .. } => format!("user and password at POST {path}"),
        Auth::Either(parts) => parts
            .iter()
            .map(self::auth)
            .collect::<Vec<_>>()
            .join(" or "),
    }
}

pub fn contract(contract: Option<Contract>) -> String {
    let Some(contract) = contract else {
        return "none".to_owned();
    };
    list(&Entity::ALL.map(|(entity, name)| format!("{name} {}", contract.mode(entity))))
}

pub fn deletes(deletes: Option<Deletes>, tombstone: Option<&String>) -> String {
    let word = match deletes {
        None | Some(Deletes::Keep) => "keep",
        Some(Deletes::Soft) => "soft",
        Some(Deletes::Hard) => "hard",
    };
    match tombstone {
        Some(field) => format!("{word}, marked by {field}"),
        None => word.to_owned(),
    }
}

pub fn format(format: Format) -> &'static str {
    match format {
        Format::Json => "JSON",
        Format::Lines => "JSON lines",
        Format::Csv => "CSV",
    }
}

pub fn setting(setting: &Setting) -> String {
    let ty = if setting.secret { "secret" } else { "text" };
    match (&setting.default, setting.optional) {
        (Some(default), _) => format!("{ty}, {default} unless set"),
        (None, true) => format!("{ty}, optional"),
        (None, false) => format!("{ty}, required"),
    }
}

pub fn key(key: &[String], within_parent: bool) -> String {
    match within_parent {
        true => format!("{} within its parent", list(key)),
        false => list(key),
    }
}

pub fn paginator(paginator: &Paginator) -> String {
    let mut words = vec![match paginator {
        Paginator::Single => "one page".to_owned(),
        Paginator::Undecided => "undecided".to_owned(),
        Paginator::LastId(it) => {
            let field = it.field.as_deref().unwrap_or("id");
            format!("last {field} ({})", it.param)
        }
        Paginator::PageNumber(it) => format!("page number ({}, from {})", it.param, it.first),
        Paginator::Offset(it) => format!("offset ({}, from {})", it.param, it.first),
        Paginator::Token(it) => {
            let first = it.first.iter().map(|first| format!(", first \"{first}\""));
            let first: String = first.collect();
            format!("token ({}, next in {}{first})", it.param, at(&it.next))
        }
        Paginator::LinkHeader(_) => "Link header".to_owned(),
        Paginator::NextUrl(it) => format!("next URL ({})", it.next),
    }];
    words.extend(paginator.more().map(|path| format!("more if {path}")));
    words.extend(paginator.total().map(|total| match total {
        Total::Pages(path) => format!("{} pages", at(path)),
        Total::Items(path) => format!("{} in all", at(path)),
        Total::Ignored => "totals ignored".to_owned(),
    }));
    let size = paginator.page_size();
    words.extend(size.map(|size| format!("{}={}", size.param, size.rows)));
    words.extend(paginator.in_body().then(|| "in the body".to_owned()));
    let holder = paginator.in_json();
    words.extend(holder.map(|param| format!("in the JSON of {param}")));
    let holder = paginator.in_pairs();
    words.extend(holder.map(|param| format!("in the pairs of {param}")));
    let empty = paginator.common().and_then(|common| common.empty_pages);
    words.extend(empty.map(|most| format!("{most} empty pages")));
    words.join(", ")
}

fn at(place: &ResponsePath) -> String {
    match place {
        ResponsePath::Body(path) => path.clone(),
        ResponsePath::Header(name) => format!("header {name}"),
    }
}

pub fn embedded(lists: &[Embedded]) -> String {
    let lists = lists.iter().map(|it| match &it.place {
        EmbeddedPlace::Next => format!("{} (next URL)", it.list),
        EmbeddedPlace::Url(path) => format!("{} (URL in {path})", it.list),
        EmbeddedPlace::Path(path) => format!("{} ({path})", it.list),
    });
    list(&lists.collect::<Vec<_>>())
}

/// Returns the field of a cursor, by its keys.
pub fn cursor_field(cursor: &Cursor) -> &str {
    match &cursor.field {
        FieldRef::Path(path) => path,
        FieldRef::Handle { constant, .. } => constant,
    }
}

pub fn cursor(cursor: Option<&Cursor>) -> String {
    let Some(cursor) = cursor else {
        return "none".to_owned();
    };
    let what = match cursor.meaning {
        Meaning::Updated => "changed",
        Meaning::Created => "created",
    };
    let mut words = vec![format!("{} ({what})", cursor_field(cursor))];
    words.extend(cursor.param.iter().map(|param| match &cursor.template {
        Some(template) => format!("{param}={template}"),
        None => param.clone(),
    }));
    words.extend(cursor.until.iter().map(|param| format!("until {param}")));
    words.extend(cursor.in_body.then(|| "in the body".to_owned()));
    words.extend(cursor.exclusive.then(|| "exclusive".to_owned()));
    words.extend(cursor.new_rows_only.then(|| "new rows only".to_owned()));
    words.extend(cursor.lookback.map(|back| format!("{back} back")));
    words.extend(cursor.order.map(|order| match order {
        Order::NewestFirst => "newest first".to_owned(),
        Order::OldestFirst => "oldest first".to_owned(),
    }));
    words.extend(
        cursor
            .windows
            .as_ref()
            .map(|windows| format!("windows of {} from {}", windows.length(), windows.from())),
    );
    words.extend(
        cursor
            .most_rows
            .map(|rows| format!("at most {}", counted(rows, "row"))),
    );
    words.join(", ")
}

pub fn parent(parent: Option<&Parent>) -> String {
    let Some(parent) = parent else {
        return "none".to_owned();
    };
    let links = parent.links.iter();
    let links = links.map(|link| format!("{}: {}", link.parameter, link.fields.join(".")));
    let inherited = parent.inherited.iter();
    let inherited = inherited.map(|(child, from)| format!("{child}: its own {from}"));
    let all: Vec<String> = links.chain(inherited).collect();
    format!("{} ({})", parent.resource, list(&all))
}

pub fn parameter(parameter: &Parameter) -> String {
    match &parameter.value {
        ParameterValue::Fixed(value) => format!("\"{value}\""),
        ParameterValue::Json(value) => value.to_string(),
        ParameterValue::Setting(setting) => format!("Config.{setting}"),
    }
}

pub fn place(place: ParameterPlace) -> &'static str {
    match place {
        ParameterPlace::Path => "path",
        ParameterPlace::Query => "parameter",
        ParameterPlace::Header => "header",
        ParameterPlace::Body(_) => "body field",
    }
}
