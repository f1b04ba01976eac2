//! `incremental`: how a list is read incrementally.

use etlgen_model::{Length, Meaning, Order, TimeFormat, Windows};

use crate::infer::facts::{CursorFacts, ResourceKind};
use crate::overrides::about::{About, Part};
use crate::overrides::decided;
use crate::overrides::file::{At, Faults, Place};
use crate::overrides::key::{Key, ResourceKey};
use crate::overrides::places::{Found, walk};
use crate::overrides::subject::{Target, sure};
use crate::overrides::value::{Table, Value};
use crate::spec::api::SchemaKind;

/// Off, or by a cursor.
#[derive(Clone, Debug, PartialEq)]
pub enum Incremental {
    Off,
    By(Box<Cursor>),
}

/// The cursor as the owner declares it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    field: At<String>,
    param: Option<String>,
    until: Option<String>,
    template: Option<String>,
    updated: Option<bool>,
    /// The place of `format`.
    format: Place,
    choices: decided::Incremental,
}

impl Incremental {
    pub fn is_off(&self) -> bool {
        matches!(self, Incremental::Off)
    }
}

const TAKES: &str = "`false`, or a table with `field`";

const fn part(name: &'static str, takes: &'static str, does: &'static str) -> Part {
    Part { name, takes, does }
}

impl Key for Incremental {
    const ABOUT: About = About {
        name: "incremental",
        takes: TAKES,
        does: "Declares how a run requests only new records ([state](state.md)). `false`: every run reads all rows.",
        examples: &[
            "incremental = { field = \"updated_at\", param = \"since\" }",
            "incremental = { field = \"updated_at\", param = \"since\", until = \"until\", lookback = \"2h\", order = \"newest_first\" }",
            "incremental = { field = \"created\", param = \"filter\", template = \"created>={}\", updated = false, exclusive = true }",
            "incremental = { field = \"day\", param = \"from\", until = \"to\", format = \"date\", windows = { from = \"2015-01-01\", length = \"90d\" }, most_rows = 10000 }",
            "incremental = false",
        ],
        parts: &[
            part(
                "field",
                "a dotted path",
                "The field that holds the time (or the number) by which records are new.",
            ),
            part("param", "a parameter", "Requests records from a value on."),
            part("until", "a parameter", "Requests records up to a value."),
            part(
                "template",
                "a text with `{}`",
                "What `param` holds where it takes an expression; `{}` stands for the value.",
            ),
            part(
                "updated",
                "true or false",
                "Whether every change updates the field. By default what is inferred, else what the field's name suggests.",
            ),
            part(
                "format",
                "`\"unix_seconds\"`, `\"unix_millis\"`, `\"rfc3339\"`, `\"date\"` or `\"as_is\"`",
                "How the parameters take a time. By default as the field holds it.",
            ),
            part(
                "exclusive",
                "true or false",
                "Whether `param` leaves out records of the bound itself. By default what its name suggests.",
            ),
            part(
                "lookback",
                "a duration: `\"2h\"`",
                "The duration before the cursor that is requested again, for late records.",
            ),
            part(
                "order",
                "`\"newest_first\"` or `\"oldest_first\"`",
                "How the API sorts the list by the field.",
            ),
            part(
                "windows",
                "a table: `{ from = \"2015-01-01\", length = \"90d\" }`",
                "Reads the list in windows of that length, side by side. Needs `param` and `until`.",
            ),
            part(
                "most_rows",
                "a number from 1 on",
                "The most rows that the API returns of one list.",
            ),
        ],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        match value.as_bool() {
            Some(false) => return Some(Incremental::Off),
            Some(true) => {
                value.wrong(TAKES, faults);
                return None;
            }
            None => {}
        }
        let table = value.table(TAKES, faults)?;
        table.refuse_other_parts(&Self::ABOUT, faults);
        let Some(field) = table.get("field") else {
            let message = "`incremental` needs `field`: the field that holds the time (or the number) by which records are new";
            faults.add(value.place, message);
            return None;
        };
        let cursor = Cursor {
            field: field.text_at(faults)?,
            param: text(&table, "param", faults),
            until: text(&table, "until", faults),
            template: text(&table, "template", faults),
            updated: table.get("updated").and_then(|it| it.flag(faults)),
            format: table.get("format").and_then(|it| it.place),
            choices: choices(&table, faults),
        };
        contradictions(&table, &cursor, faults);
        Some(Incremental::By(Box::new(cursor)))
    }
}

const FORMATS: [(&str, TimeFormat); 5] = [
    ("unix_seconds", TimeFormat::UnixSeconds),
    ("unix_millis", TimeFormat::UnixMillis),
    ("rfc3339", TimeFormat::Rfc3339),
    ("date", TimeFormat::Date),
    ("as_is", TimeFormat::AsIs),
];

fn text(table: &Table<'_>, name: &str, faults: &mut Faults) -> Option<String> {
    table.get(name)?.text(faults)
}

/// Reads the parts that no document can state.
fn choices(table: &Table<'_>, faults: &mut Faults) -> decided::Incremental {
    let orders = [
        ("newest_first", Order::NewestFirst),
        ("oldest_first", Order::OldestFirst),
    ];
    decided::Incremental {
        format: table
            .get("format")
            .and_then(|it| it.choice(&FORMATS, faults)),
        exclusive: table.get("exclusive").and_then(|it| it.flag(faults)),
        lookback: table.get("lookback").and_then(|it| length(it, faults)),
        order: table.get("order").and_then(|it| it.choice(&orders, faults)),
        windows: table.get("windows").and_then(|it| windows(it, faults)),
        most_rows: table.get("most_rows").and_then(|it| it.whole(1, faults)),
    }
}

fn length(value: &Value<'_>, faults: &mut Faults) -> Option<Length> {
    let text = value.text(faults)?;
    let length = text.parse::<Length>();
    if let Err(message) = &length {
        let message = format!("`{}`: {message}", value.key);
        faults.add(value.place, message).hint(None);
    }
    length.ok()
}

fn windows(value: &Value<'_>, faults: &mut Faults) -> Option<Windows> {
    const WINDOWS: &str = "a table: { from = \"2015-01-01\", length = \"90d\" }";
    let table = value.table(WINDOWS, faults)?;
    let known = [
        part("from", "a day or a time", "Where the windows begin."),
        part("length", "a duration", "How long each is."),
    ];
    table.refuse_others(&known, &[], faults);
    let (Some(from), Some(each)) = (table.get("from"), table.get("length")) else {
        let missing = match table.get("from") {
            None => "from",
            Some(_) => "length",
        };
        let message = format!("`{}` needs `{missing}`", value.key);
        faults
            .add(value.place, message)
            .hint(format!("windows is {WINDOWS}"));
        return None;
    };
    let (date, each) = (from.date(faults)?, length(each, faults)?);
    let windows = Windows::new(date, each);
    if let Err(message) = &windows {
        let message = format!("`{}`: {message}", value.key);
        faults.add(from.place, message).hint(None);
    }
    windows.ok()
}

/// Adds a mistake for each part that needs another one or contradicts it.
fn contradictions(table: &Table<'_>, cursor: &Cursor, faults: &mut Faults) {
    let place = |name: &str| table.get(name).and_then(|it| it.place);
    if let Some(template) = &cursor.template
        && !template.contains("{}")
    {
        let message = format!("`incremental.template` is `{template}`, without `{{}}`");
        let hint = "write `{}` where the value belongs: template = \"updated>={}\"";
        faults.add(place("template"), message).hint(hint.to_owned());
    }
    let mut wants = |name: &str, wanted: &str| {
        if table.get(name).is_some() && table.get(wanted).is_none() {
            let message = format!("`incremental.{name}` needs `{wanted}`");
            faults.add(place(name), message).hint(None);
        }
    };
    wants("template", "param");
    wants("exclusive", "param");
    wants("windows", "param");
    wants("windows", "until");
    if cursor.param.is_some() && cursor.param == cursor.until {
        let message = "`incremental.until` is the same parameter as `param`";
        faults.add(place("until"), message).hint(None);
    }
}

impl ResourceKey for Incremental {
    fn apply(&self, place: Place, on: &mut Target<'_>) {
        let cursor = match self {
            Incremental::Off => {
                on.resource_mut().cursor = sure(None);
                return;
            }
            Incremental::By(cursor) => cursor,
        };
        if on.resource().kind == ResourceKind::Single {
            let message = format!(
                "`incremental` declares how a list is read, and `{}` is a single object",
                on.name()
            );
            let hint = "leave it out, or make a list of it: kind = \"list\"";
            on.faults.add(place, message).hint(hint.to_owned());
            return;
        }
        if !on.has_field(cursor.field.place, "incremental.field", &cursor.field.value) {
            return;
        }
        for param in cursor.param.iter().chain(&cursor.until) {
            on.refuse_misspelled(place, "incremental", param);
        }
        if cursor.choices.format.is_some() && !may_be_time(on, &cursor.field.value) {
            let message = format!(
                "`incremental.format` is the format of a time, and `{}` holds none",
                cursor.field.value
            );
            on.faults.add(cursor.format, message).hint(None);
        }
        on.choices().incremental = Some(cursor.choices.clone());
        let resource = on.resource_mut();
        let found = resource.cursor.value.take();
        resource.cursor = sure(Some(cursor.facts(found)));
    }
}

/// Returns whether a field of the records may hold a time, as far as the document describes it.
fn may_be_time(on: &Target<'_>, field: &str) -> bool {
    let Some(record) = on.resource().record else {
        return true;
    };
    match walk(on.api, record, field, false) {
        Found::To(_, at) => !matches!(
            on.api.schemas[at].kind,
            SchemaKind::Boolean | SchemaKind::Array(_) | SchemaKind::Object { .. }
        ),
        Found::Open(_) | Found::No(_) => true,
    }
}

impl Cursor {
    /// Returns the cursor's facts, with what is inferred where the owner sets nothing.
    fn facts(&self, found: Option<CursorFacts>) -> CursorFacts {
        // An inferred template is kept only for the same parameter.
        let same = found.as_ref().filter(|found| found.param == self.param);
        let template = same.and_then(|found| found.template.clone());
        let excludes = same.is_some_and(|found| found.excludes);
        let field = self.field.value.clone();
        let meaning = match (self.updated, found) {
            (Some(true), _) => Meaning::Updated,
            (Some(false), _) => Meaning::Created,
            (None, Some(found)) if found.field == field => found.meaning,
            (None, _) if field.contains("creat") => Meaning::Created,
            (None, _) => Meaning::Updated,
        };
        CursorFacts {
            param: self.param.clone(),
            until: self.until.clone(),
            field,
            meaning,
            format: self.choices.format.unwrap_or(TimeFormat::AsIs),
            template: self.template.clone().or(template),
            excludes,
            in_body: false,
        }
    }
}
