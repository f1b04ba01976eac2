//! A description of a source for people.

use super::Source;
use crate::cursor::Meaning;
use crate::page::Kind;
use crate::schema::Disposition;

/// The description of one resource.
#[derive(Clone, Debug)]
pub struct ResourceDescription {
    /// Its name.
    pub name: String,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Its path.
    pub path: String,
    /// Dotted paths of the fields of its key.
    pub key: Vec<String>,
    /// How it is paged.
    pub paginator: String,
    /// How it is read incrementally.
    pub cursor: Option<String>,
    /// The resource that it is a child of.
    pub parent: Option<String>,
    /// How new rows are combined with existing ones.
    pub disposition: Disposition,
    /// Why a run that does not name it leaves it out.
    pub off: Option<String>,
}

impl Source {
    /// Describes its resources.
    pub fn describe(&self) -> Vec<ResourceDescription> {
        self.resources()
            .iter()
            .map(|resource| {
                let spec = resource.spec();
                let cursor = spec.cursor.as_ref().map(|cursor| {
                    let meaning = match cursor.meaning {
                        Meaning::Created => "created",
                        Meaning::Updated => "updated",
                    };
                    let param = cursor.param.as_deref().unwrap_or("no parameter");
                    format!("{} ({meaning}, {param})", cursor.keys.join("."))
                });
                ResourceDescription {
                    name: spec.name.clone(),
                    method: spec.method.name(),
                    path: spec.path.clone(),
                    key: spec.primary_key.iter().map(|keys| keys.join(".")).collect(),
                    paginator: describe(&spec.paginator.kind),
                    cursor,
                    parent: spec.parent.as_ref().map(|parent| parent.resource.clone()),
                    disposition: spec.disposition(),
                    off: spec.off.clone(),
                }
            })
            .collect()
    }
}

fn describe(kind: &Kind) -> String {
    match kind {
        Kind::Single => "one page".into(),
        Kind::Undecided => "undecided".into(),
        Kind::LastId { param, .. } => format!("last id ({param})"),
        Kind::PageNumber { param, .. } => format!("page number ({param})"),
        Kind::Offset { param, .. } => format!("offset ({param})"),
        Kind::Cursor { param, next } => format!("cursor ({param} from {next})"),
        Kind::HeaderCursor { param, header } => format!("cursor ({param} from header {header})"),
        Kind::LinkHeader => "Link header".into(),
        Kind::NextUrl { path } => format!("next URL ({path})"),
    }
}
