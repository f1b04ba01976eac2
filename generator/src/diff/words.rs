//! Decisions in a few words, as a report names them.

use super::{Change, Group, Kind, Level};
use crate::plan::{
    Auth, Contract, ContractMode, Cursor, Deletes, Embedded, FieldRef, Format, KeyPlace, Length,
    Order, Paginator, PaginatorKind, Parameter, ParameterPlace, ParameterValue, Parent, Place,
    Setting,
};

impl Change {
    /// A change without effect, until its levels are set.
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
        Auth::Refresh { token_url, .. } => format!("OAuth refresh token at {token_url}"),
    }
}

pub fn contract(contract: Option<Contract>) -> String {
    let Some(Contract {
        tables,
        columns,
        types,
    }) = contract
    else {
        return "none".to_owned();
    };
    let mode = |mode: ContractMode| match mode {
        ContractMode::Evolve => "evolve",
        ContractMode::Freeze => "freeze",
        ContractMode::DiscardRow => "discard_row",
        ContractMode::DiscardValue => "discard_value",
    };
    let parts = [("tables", tables), ("columns", columns), ("types", types)];
    list(&parts.map(|(part, is)| format!("{part} {}", mode(is))))
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
    let mut words = vec![match &paginator.kind {
        PaginatorKind::Single => "one page".to_owned(),
        PaginatorKind::Undecided => "undecided".to_owned(),
        PaginatorKind::LastId(param, None) => format!("last id ({param})"),
        PaginatorKind::LastId(param, Some(field)) => format!("last {field} ({param})"),
        PaginatorKind::PageNumber(param, first) => format!("page number ({param}, from {first})"),
        PaginatorKind::Offset(param, first) => format!("offset ({param}, from {first})"),
        PaginatorKind::Cursor(param, next) => format!("cursor ({param}, next in {next})"),
        PaginatorKind::HeaderCursor(param, header) => {
            format!("cursor ({param}, next in header {header})")
        }
        PaginatorKind::LinkHeader => "Link header".to_owned(),
        PaginatorKind::NextUrl(path) => format!("next URL ({path})"),
    }];
    words.extend(paginator.more.iter().map(|path| format!("more if {path}")));
    words.extend(paginator.total.iter().map(|(path, pages)| match pages {
        true => format!("{path} pages"),
        false => format!("{path} in all"),
    }));
    let size = paginator.page_size.iter();
    words.extend(size.map(|(param, size)| format!("{param}={size}")));
    words.extend(paginator.in_body.then(|| "in the body".to_owned()));
    words.join(", ")
}

pub fn embedded(lists: &[Embedded]) -> String {
    let lists = lists.iter().map(|it| match &it.place {
        Place::Next => format!("{} (next URL)", it.list),
        Place::Url(path) => format!("{} (URL in {path})", it.list),
        Place::Path(path) => format!("{} ({path})", it.list),
    });
    list(&lists.collect::<Vec<_>>())
}

/// The field of a cursor, by its keys.
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
    let what = if cursor.updated { "changed" } else { "created" };
    let mut words = vec![format!("{} ({what})", cursor_field(cursor))];
    words.extend(cursor.param.iter().map(|param| match &cursor.template {
        Some(template) => format!("{param}={template}"),
        None => param.clone(),
    }));
    words.extend(cursor.until.iter().map(|param| format!("until {param}")));
    words.extend(cursor.strict.then(|| "exclusive".to_owned()));
    words.extend(cursor.new_rows_only.then(|| "new rows only".to_owned()));
    let length = |length: Length| String::from(length);
    words.extend(cursor.lookback.map(|back| format!("{} back", length(back))));
    words.extend(cursor.order.map(|order| match order {
        Order::NewestFirst => "newest first".to_owned(),
        Order::OldestFirst => "oldest first".to_owned(),
    }));
    words.extend(cursor.windows.as_ref().map(|windows| {
        format!(
            "windows of {} from {}",
            length(windows.length),
            windows.from
        )
    }));
    words.extend(cursor.most_rows.map(|rows| format!("at most {rows} rows")));
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
        ParameterValue::Setting(setting) => format!("Config.{setting}"),
    }
}

pub fn place(place: ParameterPlace) -> &'static str {
    match place {
        ParameterPlace::Path => "path",
        ParameterPlace::Query => "parameter",
        ParameterPlace::Header => "header",
    }
}
