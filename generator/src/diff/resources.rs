//! Matches the resources, and compares their declarations.

use etlgen_model::Paginator;

use super::surface::Declared;
use super::{Change, Group, Kind, Level, Surface, words};
use crate::plan::Parameter;

/// A resource before and after.
pub type Pair<'a> = (&'a Declared, &'a Declared);

/// Matches the resources: first by endpoint, as in the ledger, then by name.
pub fn pairs<'a>(old: &'a Surface, new: &'a Surface) -> Vec<Pair<'a>> {
    let mut found: Vec<Pair<'a>> = Vec::new();
    let same: [fn(&Declared, &Declared) -> bool; 3] = [
        |a, b| a.endpoint == b.endpoint && a.name == b.name,
        |a, b| a.endpoint == b.endpoint,
        |a, b| a.name == b.name,
    ];
    for same in same {
        for before in &old.resources {
            if found.iter().any(|(taken, _)| taken.name == before.name) {
                continue;
            }
            let free = |now: &&Declared| !found.iter().any(|(_, taken)| taken.name == now.name);
            let after = new
                .resources
                .iter()
                .find(|now| same(before, now) && free(now));
            found.extend(after.map(|after| (before, after)));
        }
    }
    found
}

pub fn compare(old: &Surface, new: &Surface, pairs: &[Pair]) -> Vec<Change> {
    let mut out = Vec::new();
    for gone in &old.resources {
        if !pairs.iter().any(|(before, _)| before.name == gone.name) {
            out.push(
                of(gone, Kind::ResourceRemoved, &gone.name)
                    .was(&gone.endpoint)
                    .levels(Level::Breaking, Level::Breaking)
                    .at(&gone.name)
                    .migrate(format!(
                        "table {} and its child tables stay unchanged and get no new rows",
                        gone.name
                    )),
            );
        }
    }
    for come in &new.resources {
        if !pairs.iter().any(|(_, after)| after.name == come.name) {
            let undecided = come.paginator == Paginator::Undecided;
            let change = of(come, Kind::ResourceAdded, &come.name)
                .is(&come.endpoint)
                .levels(Level::Minor, Level::Minor)
                .at(&come.name);
            out.push(match undecided {
                true => change.migrate(format!(
                    "set `paginate` in etlgen.toml: until then `sync` leaves out {}",
                    come.name
                )),
                false => change,
            });
        }
    }
    for (before, after) in pairs {
        out.extend(signature(before, after, old, new));
        out.extend(declared(before, after, pairs));
    }
    out
}

/// Reports that the function of a resource now takes the settings, or no longer does.
fn signature(before: &Declared, after: &Declared, old: &Surface, new: &Surface) -> Option<Change> {
    let call = |ident: &str, takes_config: bool| match takes_config {
        true => format!("{ident}(config: &Config)"),
        false => format!("{ident}()"),
    };
    let (was, is) = (old.takes_config(before), new.takes_config(after));
    (was != is).then(|| {
        of(
            after,
            Kind::FunctionChanged,
            &format!("resources::{}", after.ident),
        )
        .at(&after.name)
        .was(&call(&before.ident, was))
        .is(&call(&after.ident, is))
        .levels(Level::Breaking, Level::Patch)
        .migrate("update the arguments where code calls the function")
    })
}

fn of(resource: &Declared, kind: Kind, subject: &str) -> Change {
    Change::new(Group::Resource(resource.name.clone()), kind, subject)
}

fn declared(old: &Declared, new: &Declared, pairs: &[Pair]) -> Vec<Change> {
    let name = &new.name;
    let mut out = Vec::new();
    let change = |kind, subject: &str| of(new, kind, subject).at(name);
    let refresh = format!("`sync --resources {name} --full-refresh`");
    if old.name != new.name {
        out.push(
            change(Kind::ResourceRenamed, name)
                .was(&old.name)
                .is(name)
                .levels(Level::Breaking, Level::Breaking)
                .migrate(format!(
                    "the next run moves the tables, rows and state of {} to the new name, or names the command that it needs: models must read {name}; \
                     `name = \"{}\"` in etlgen.toml keeps the old one",
                    old.name, old.name
                )),
        );
    } else if old.ident != new.ident {
        out.push(
            change(Kind::FunctionChanged, &format!("resources::{}", new.ident))
                .was(&old.ident)
                .is(&new.ident)
                .levels(Level::Breaking, Level::Patch)
                .migrate("rename the function in code that calls it"),
        );
    }
    if old.endpoint != new.endpoint {
        out.push(
            change(Kind::EndpointChanged, "endpoint")
                .was(&old.endpoint)
                .is(&new.endpoint)
                .levels(Level::Patch, Level::Minor)
                .migrate("new rows go to the same table: check that they are the same records"),
        );
    }
    let shape = |it: &Declared| match it.single {
        true => format!("one record, {}", words::format(it.format)),
        false => format!("a list, {}", words::format(it.format)),
    };
    if shape(old) != shape(new) {
        out.push(
            change(Kind::FormatChanged, "response")
                .was(&shape(old))
                .is(&shape(new)),
        );
    }
    if old.records != new.records {
        let path = |it: &Declared| match it.records.as_str() {
            "" => "the body".to_owned(),
            path => path.to_owned(),
        };
        out.push(
            change(Kind::RecordsPathChanged, "records")
                .was(&path(old))
                .is(&path(new)),
        );
    }
    if (&old.key, old.within_parent) != (&new.key, new.within_parent) {
        out.push(
            change(Kind::KeyChanged, "primary key")
                .was(&words::key(&old.key, old.within_parent))
                .is(&words::key(&new.key, new.within_parent))
                .levels(Level::Patch, Level::Breaking)
                .migrate(key_advice(old, new, &refresh)),
        );
    }
    out.extend(pages(old, new, &change));
    if old.embedded != new.embedded {
        let read = |it: &Declared, list: &str| it.embedded.iter().any(|known| known.list == list);
        let lost = old.embedded.iter().any(|it| !read(new, &it.list));
        let found = change(Kind::EmbeddedChanged, "lists read to their ends")
            .was(&words::embedded(&old.embedded))
            .is(&words::embedded(&new.embedded));
        out.push(match lost {
            true => found.levels(Level::Patch, Level::Breaking).migrate(
                "a list that is no longer read to its end has only the items within its record: rows may be missing",
            ),
            false => found
                .levels(Level::Patch, Level::Minor)
                .migrate("its table may get rows that are not within the record"),
        });
    }
    if old.cursor != new.cursor {
        out.push(cursor(old, new, &change));
    }
    out.extend(parent(old, new, pairs, &change));
    out.extend(parameters(old, new, &change));
    if old.auth != new.auth {
        let auth = |it: &Declared| match &it.auth {
            None => "that of the source".to_owned(),
            Some(auth) => words::auth(auth),
        };
        out.push(
            change(Kind::AuthChanged, "auth")
                .was(&auth(old))
                .is(&auth(new))
                .levels(Level::Patch, Level::Breaking)
                .migrate(format!("a run that loads {name} needs the new credentials")),
        );
    }
    if old.contract != new.contract {
        out.push(
            change(Kind::ContractChanged, "contract")
                .was(&words::contract(old.contract))
                .is(&words::contract(new.contract))
                .levels(Level::Patch, Level::Breaking)
                .migrate("the next run treats data that the struct does not declare differently"),
        );
    }
    let deletes = |it: &Declared| words::deletes(it.deletes, it.tombstone.as_ref());
    if deletes(old) != deletes(new) {
        out.push(
            change(Kind::DeletesChanged, "deletes")
                .was(&deletes(old))
                .is(&deletes(new))
                .levels(Level::Patch, Level::Breaking)
                .migrate("the next run treats records that the API no longer has differently"),
        );
    }
    if old.off != new.off {
        let read = |it: &Declared| if it.off { "off" } else { "read by each run" };
        let found = change(Kind::OffChanged, "reading")
            .was(read(old))
            .is(read(new));
        out.push(match new.off {
            true => found.levels(Level::Patch, Level::Breaking).migrate(format!(
                "its table gets new rows only from `sync --resources {name}`"
            )),
            false => found.levels(Level::Patch, Level::Minor),
        });
    }
    if old.feature != new.feature {
        let feature = |it: &Declared| it.feature.clone().unwrap_or_else(|| "none".to_owned());
        // A resource without a feature is always compiled.
        let rust = match new.feature {
            None => Level::Patch,
            Some(_) => Level::Breaking,
        };
        let change = change(Kind::FeatureChanged, "feature")
            .was(&feature(old))
            .is(&feature(new))
            .levels(rust, Level::Patch);
        out.push(match rust {
            Level::Breaking => {
                change.migrate("a build with `--no-default-features` names the new feature")
            }
            _ => change,
        });
    }
    out
}

fn key_advice(old: &Declared, new: &Declared, refresh: &str) -> String {
    match (old.key.is_empty(), new.key.is_empty()) {
        (true, false) => {
            "the next run replaces the rows once more, later ones merge records by the key"
                .to_owned()
        }
        (false, true) => format!(
            "records cannot be merged without a key, and the next run refuses to replace the rows: run {refresh} once; ids then hold for one run only"
        ),
        _ => format!(
            "the next run gives existing rows and their child rows new ids: models must not keep ids; if it cannot, it fails: run {refresh} once"
        ),
    }
}

fn pages(old: &Declared, new: &Declared, change: &dyn Fn(Kind, &str) -> Change) -> Option<Change> {
    if old.paginator == new.paginator {
        return None;
    }
    let found = change(Kind::PaginatorChanged, "paginator")
        .was(&words::paginator(&old.paginator))
        .is(&words::paginator(&new.paginator));
    let name = &new.name;
    let kind = |it: &Declared| it.paginator.kind();
    Some(match &new.paginator {
        Paginator::Undecided => found.levels(Level::Patch, Level::Breaking).migrate(format!(
            "`paginate` in etlgen.toml must declare how it is paged: until then `sync` reads one page and fails for {name}"
        )),
        // Lists that are paged by number start again after an interrupted run. Others would
        // continue from a position of the old paginator.
        Paginator::Single | Paginator::PageNumber(_) | Paginator::Offset(_) => found,
        _ if kind(old) != kind(new) && old.paginator != Paginator::Undecided => {
            found.levels(Level::Patch, Level::Minor).migrate(format!(
                "if the last run was interrupted within {name}, run `sync --resources {name} --full-refresh` once: its position belongs to the old paginator"
            ))
        }
        _ => found,
    })
}

fn cursor(old: &Declared, new: &Declared, change: &dyn Fn(Kind, &str) -> Change) -> Change {
    let found = change(Kind::CursorChanged, "cursor")
        .was(&words::cursor(old.cursor.as_ref()))
        .is(&words::cursor(new.cursor.as_ref()));
    match (&old.cursor, &new.cursor) {
        (None, Some(now)) if now.is_incremental() => found
            .levels(Level::Patch, Level::Minor)
            .migrate("the next run reads in full, later runs read what is new"),
        (Some(_), None) => found
            .levels(Level::Patch, Level::Minor)
            .migrate("each run reads in full: it takes longer, and what is loaded is the same"),
        (Some(before), Some(now)) if before.field != now.field || before.meaning != now.meaning => {
            found
                .levels(Level::Patch, Level::Minor)
                .migrate("the next run reads in full once, and its position starts again")
        }
        _ => found,
    }
}

fn parent(
    old: &Declared,
    new: &Declared,
    pairs: &[Pair],
    change: &dyn Fn(Kind, &str) -> Change,
) -> Option<Change> {
    // A renamed parent is the same parent.
    let known = old.parent.clone().map(|mut parent| {
        let now = pairs
            .iter()
            .find(|(before, _)| before.name == parent.resource);
        if let Some((_, now)) = now {
            parent.resource.clone_from(&now.name);
        }
        parent
    });
    (known != new.parent).then(|| {
        change(Kind::ParentChanged, "parent")
            .was(&words::parent(old.parent.as_ref()))
            .is(&words::parent(new.parent.as_ref()))
            .levels(Level::Patch, Level::Breaking)
            .migrate(format!(
                "the next run reads it in full once; its parameter columns may change, and row ids that depend on them change too, \
                 or the run names the command that it needs: `sync --resources {} --full-refresh` once",
                new.name
            ))
    })
}

fn parameters(
    old: &Declared,
    new: &Declared,
    change: &dyn Fn(Kind, &str) -> Change,
) -> Vec<Change> {
    let mut out = Vec::new();
    let subject = |it: &Parameter| format!("{} `{}`", words::place(it.place), it.name);
    let find = |of: &Declared, it: &Parameter| {
        let mut all = of.parameters.iter();
        all.find(|known| known.place == it.place && known.name == it.name)
            .cloned()
    };
    let asked = "requests may return other records than before: compare the rows";
    for parameter in &old.parameters {
        let found = match find(new, parameter) {
            Some(now) if now.value == parameter.value => continue,
            Some(now) => {
                change(Kind::ParameterChanged, &subject(parameter)).is(&words::parameter(&now))
            }
            None => change(Kind::ParameterRemoved, &subject(parameter)),
        };
        out.push(
            found
                .was(&words::parameter(parameter))
                .levels(Level::Patch, Level::Minor)
                .migrate(asked),
        );
    }
    for parameter in &new.parameters {
        if find(old, parameter).is_none() {
            out.push(
                change(Kind::ParameterAdded, &subject(parameter))
                    .is(&words::parameter(parameter))
                    .levels(Level::Patch, Level::Minor)
                    .migrate(asked),
            );
        }
    }
    out
}
