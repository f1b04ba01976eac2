//! A description of a source for people.

use super::Source;
use crate::page::{Paginator, ResponsePath};
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
                    let meaning = cursor.meaning.name();
                    let param = cursor.param.as_deref().unwrap_or("no parameter");
                    format!("{} ({meaning}, {param})", cursor.keys.join("."))
                });
                ResourceDescription {
                    name: spec.name.clone(),
                    method: spec.method.name(),
                    path: spec.path.clone(),
                    key: spec.primary_key.iter().map(|keys| keys.join(".")).collect(),
                    paginator: describe(&spec.paginator),
                    cursor,
                    parent: spec.parent.as_ref().map(|parent| parent.resource.clone()),
                    disposition: spec.disposition(),
                    off: spec.off.clone(),
                }
            })
            .collect()
    }
}

fn describe(paginator: &Paginator) -> String {
    match paginator {
        Paginator::Single => "one page".into(),
        Paginator::Undecided => "undecided".into(),
        Paginator::LastId(it) => format!("last id ({})", it.param),
        Paginator::PageNumber(it) => format!("page number ({})", it.param),
        Paginator::Offset(it) => format!("offset ({})", it.param),
        Paginator::Token(it) => match &it.next {
            ResponsePath::Body(path) => format!("token ({} from {path})", it.param),
            ResponsePath::Header(name) => format!("token ({} from header {name})", it.param),
        },
        Paginator::LinkHeader(_) => "Link header".into(),
        Paginator::NextUrl(it) => format!("next URL ({})", it.next),
    }
}
