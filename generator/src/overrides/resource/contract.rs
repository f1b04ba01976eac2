//! `contract`: how the tables may change. The key exists at the top and below a resource.

use etlgen_model::{Contract, Mode};

use crate::overrides::about::{About, Part};
use crate::overrides::file::{Faults, Place};
use crate::overrides::key::{Key, ResourceKey, TopKey};
use crate::overrides::subject::{Target, Whole};
use crate::overrides::value::Value;

/// One mode for everything, or one for each of tables, columns and types.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wish {
    All(Mode),
    Some {
        tables: Option<Mode>,
        columns: Option<Mode>,
        types: Option<Mode>,
    },
}

impl Wish {
    /// Returns the contract; modes that are not set are taken from `base`.
    fn over(self, base: Option<Contract>) -> Contract {
        let base = base.unwrap_or_default();
        match self {
            Wish::All(mode) => Contract::all(mode),
            Wish::Some {
                tables,
                columns,
                types,
            } => {
                let contract = tables.map_or(base, |mode| base.tables(mode));
                let contract = columns.map_or(contract, |mode| contract.columns(mode));
                types.map_or(contract, |mode| contract.types(mode))
            }
        }
    }
}

const MODES: &str = "`\"evolve\"`, `\"freeze\"`, `\"discard_row\"` or `\"discard_value\"`";

impl Key for Wish {
    const ABOUT: About = About {
        name: "contract",
        takes: "`\"evolve\"`, `\"freeze\"`, `\"discard_row\"`, `\"discard_value\"`, or a table",
        does: "Says what is done with what the structs do not declare ([normalisation](normalisation.md)). At the top it \
               holds for every resource without a contract of its own.",
        examples: &[
            "contract = \"freeze\"",
            "contract = { columns = \"discard_value\", types = \"freeze\" }",
        ],
        parts: &[
            Part {
                name: "tables",
                takes: MODES,
                does: "A list for which there is no table.",
            },
            Part {
                name: "columns",
                takes: MODES,
                does: "A key for which there is no column.",
            },
            Part {
                name: "types",
                takes: MODES,
                does: "A value of another type than its column.",
            },
        ],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        let words = Mode::ALL.map(|(mode, name)| (name, mode));
        if !value.is_table() {
            return value.choice(&words, faults).map(Wish::All);
        }
        let table = value.table("a table", faults)?;
        table.refuse_other_parts(&Self::ABOUT, faults);
        let mut mode = |name: &str| table.get(name)?.choice(&words, faults);
        Some(Wish::Some {
            tables: mode("tables"),
            columns: mode("columns"),
            types: mode("types"),
        })
    }
}

impl TopKey for Wish {
    fn apply(&self, _place: Place, on: &mut Whole<'_>) {
        *on.contract = Some(self.over(None));
    }
}

impl ResourceKey for Wish {
    fn apply(&self, _place: Place, on: &mut Target<'_>) {
        let contract = self.over(on.contract);
        on.choices().contract = Some(contract);
    }
}
