//! Compares the parts that the whole crate shares: name, credentials, settings, features.

use super::words;
use super::{Change, Group, Kind, Level, Surface};
use crate::plan::{Feature, Setting};

const BASE_URL: &str = "base_url";

pub fn compare(old: &Surface, new: &Surface) -> Vec<Change> {
    let mut out = Vec::new();
    let change = |kind, subject: &str| Change::new(Group::Source, kind, subject);
    if old.source != new.source {
        out.push(
            change(Kind::SourceRenamed, "source")
                .was(&old.source)
                .is(&new.source)
                .levels(Level::Breaking, Level::Breaking)
                .migrate(format!(
                    "the crate and the environment variables get other names; the state is stored under the source's name, so a run \
                     starts again; `name = \"{}\"` in etlgen.toml keeps it",
                    old.source
                )),
        );
    }
    if old.auth != new.auth {
        out.push(
            change(Kind::AuthChanged, "auth")
                .was(&words::auth(&old.auth))
                .is(&words::auth(&new.auth))
                .levels(Level::Patch, Level::Breaking)
                .migrate("a run needs the new credentials; `auth` in etlgen.toml overrides this"),
        );
    }
    if old.contract != new.contract {
        out.push(
            change(Kind::ContractChanged, "contract")
                .was(&words::contract(old.contract))
                .is(&words::contract(new.contract))
                .levels(Level::Patch, Level::Breaking)
                .migrate("the next run treats data that the structs do not declare differently"),
        );
    }
    out.extend(settings(old, new));
    out.extend(features(old, new));
    out
}

fn settings(old: &Surface, new: &Surface) -> Vec<Change> {
    let mut out = Vec::new();
    let prefix = new.source.to_uppercase();
    let prefix = prefix.trim_start_matches('_');
    let variable = |setting: &Setting| format!("{prefix}_{}", setting.ident.to_uppercase());
    let change = |kind, setting: &Setting| {
        Change::new(Group::Source, kind, &format!("Config.{}", setting.ident))
    };
    let find = |of: &Surface, ident: &str| -> Option<Setting> {
        of.settings.iter().find(|it| it.ident == ident).cloned()
    };
    for setting in &old.settings {
        let Some(now) = find(new, &setting.ident) else {
            out.push(
                change(Kind::SettingRemoved, setting)
                    .was(&words::setting(setting))
                    .levels(Level::Breaking, Level::Patch)
                    .migrate(format!(
                        "nothing reads {} any more; remove the field from code that uses it",
                        variable(setting)
                    )),
            );
            continue;
        };
        let ty = |it: &Setting| (it.secret, it.optional);
        let rust = match ty(setting) == ty(&now) {
            true => Level::Patch,
            false => Level::Breaking,
        };
        if *setting == now {
            continue;
        }
        let (was, is) = (words::setting(setting), words::setting(&now));
        let kind = match setting.ident == BASE_URL {
            true => Kind::BaseUrlChanged,
            false => Kind::SettingChanged,
        };
        let required = !now.optional && now.default.is_none();
        let needed = required && (setting.optional || setting.default.is_some());
        let (tables, migration) = match (needed, setting.default != now.default) {
            (true, _) => (
                Level::Breaking,
                format!("a run fails until {} is set", variable(&now)),
            ),
            (false, true) => (
                Level::Minor,
                format!(
                    "the new value is used unless another is set; {} keeps the old one",
                    variable(&now)
                ),
            ),
            (false, false) => (
                Level::Patch,
                "code that reads the field gets another type".to_owned(),
            ),
        };
        out.push(
            change(kind, setting)
                .was(&was)
                .is(&is)
                .levels(rust, tables)
                .migrate(migration),
        );
    }
    for setting in &new.settings {
        if find(old, &setting.ident).is_some() {
            continue;
        }
        let required = !setting.optional && setting.default.is_none();
        let literal = "code that builds `Config` itself must fill it; `Config::load()` does";
        let (tables, migration) = match required {
            true => (
                Level::Breaking,
                format!("a run fails until {} is set; {literal}", variable(setting)),
            ),
            false => (Level::Patch, literal.to_owned()),
        };
        out.push(
            change(Kind::SettingAdded, setting)
                .is(&words::setting(setting))
                .levels(Level::Breaking, tables)
                .migrate(migration),
        );
    }
    out
}

fn features(old: &Surface, new: &Surface) -> Vec<Change> {
    let mut out = Vec::new();
    let change = |kind, name: &str| Change::new(Group::Source, kind, name);
    let find = |of: &Surface, name: &str| -> Option<Feature> {
        of.features.iter().find(|it| it.name == name).cloned()
    };
    for feature in &old.features {
        if find(new, &feature.name).is_none() {
            out.push(
                change(Kind::FeatureRemoved, &feature.name)
                    .levels(Level::Breaking, Level::Patch)
                    .migrate("remove it from each Cargo.toml that names it"),
            );
        }
    }
    for feature in &new.features {
        match find(old, &feature.name) {
            None => out
                .push(change(Kind::FeatureAdded, &feature.name).levels(Level::Minor, Level::Patch)),
            Some(before) if before.needs != feature.needs => out.push(
                change(Kind::FeatureChanged, &feature.name)
                    .was(&words::list(&before.needs))
                    .is(&words::list(&feature.needs))
                    .levels(Level::Patch, Level::Patch),
            ),
            Some(_) => {}
        }
    }
    out
}
