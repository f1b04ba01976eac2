//! The parent of a child resource.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A parent resource, and where the child's parameters come from: `"teams"`, or
/// `{ resource = "teams", params = { team_id = "id" } }`.
///
/// ```
/// use etlgen_model::Parent;
///
/// let parent: Parent = toml::from_str("resource = 'teams'\nparams = { team_id = 'id' }")?;
/// assert_eq!(parent.params["team_id"], "id");
/// let short: Parent = serde_json::from_str(r#""teams""#).unwrap();
/// assert_eq!((short.resource.as_str(), short.params.len()), ("teams", 0));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parent {
    /// Its name.
    pub resource: String,
    /// Parameters of the child's request, and the field of the parent's record that each takes, as
    /// a dotted path. Parameters that are not named are inferred.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
}

impl Parent {
    /// Creates the parent of that name, whose fields are inferred.
    pub fn new(resource: impl Into<String>) -> Self {
        Parent {
            resource: resource.into(),
            params: BTreeMap::new(),
        }
    }
}

impl<'de> Deserialize<'de> for Parent {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Form)
    }
}

struct Form;

impl<'de> Visitor<'de> for Form {
    type Value = Parent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a resource's name, or a table with `resource` and `params`")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Parent, E> {
        match name.is_empty() {
            true => Err(E::custom("the name of the parent is empty")),
            false => Ok(Parent::new(name)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Parent, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename = "Parent")]
        struct Table {
            resource: String,
            #[serde(default)]
            params: BTreeMap<String, String>,
        }
        let Table { resource, params } = Table::deserialize(MapAccessDeserializer::new(map))?;
        let parent: Parent = self.visit_str(&resource)?;
        Ok(Parent { params, ..parent })
    }
}
