//! Decides how one resource is read: which pass, from where, into what.

use super::choose::Chosen;
use super::feeds::Unseen;
use super::scope::{PriorState, SliceStates, StateScope};
use super::slice::{bounds, no_windows};
use super::values::{
    ChildSlices, PassPlan, Problem, RequestPlan, ResourcePlan, Selected, Slices, WritePlan,
};
use crate::cursor::Interval;
use crate::error::{Error, Result};
use crate::http::{with_field, with_pair};
use crate::load::Memory;
use crate::normalize::{NormalizeOptions, Normalizer};
use crate::page::Paginator;
use crate::run::migrate::Effect;
use crate::run::options::RunOptions;
use crate::run::select;
use crate::schema::{ContractRule, Deletes, Disposition, TableSchema, discards_rows};
use crate::settings::Redactor;
use crate::source::{AnyResource, ResourceSpec, Source, placeholders};
use crate::state::{Pass, SliceState, StateChange, load_time};

/// Plans the resources of a run, one by one.
pub(super) struct Planner<'a> {
    source: &'a Source,
    options: &'a RunOptions,
    memory: &'a Memory,
    load_id: &'a str,
    /// The time of the run, in microseconds since 1970.
    now: i64,
    redactor: Redactor,
}

/// The parts of a plan that come from earlier runs and from other resources.
pub(super) struct Prior {
    pub state: PriorState,
    /// The newest pass of its parent.
    pub parent_pass: Option<String>,
    /// Changes that no feed reports any more.
    pub unseen: Option<Unseen>,
    pub effect: Effect,
    pub below: Below,
}

/// What the children of a resource require of it in this run.
pub(super) struct Below {
    any: bool,
    /// Whether one of them marks or removes deleted records.
    marks_gone: bool,
    /// The last load that read the resource without one of them.
    missed: Option<String>,
}

impl Below {
    pub fn of(source: &Source, planned: &[ResourcePlan], parent: &str) -> Self {
        let of_parent = |child: &&ResourcePlan| child.parent.as_deref() == Some(parent);
        let below = || planned.iter().filter(of_parent);
        let deletes = |child: &ResourcePlan| source.find(&child.name).map(|c| c.spec().deletes);
        let missed = below().filter_map(|child| child.children()?.missed.clone());
        Below {
            any: below().next().is_some(),
            marks_gone: below().any(|child| deletes(child).is_ok_and(|d| d != Deletes::Keep)),
            missed: missed.max(),
        }
    }
}

/// The note about `--limit` with `--full-refresh`.
const PART_STAYS: &str = "the rows of its table are replaced at the end of its list: what a run with `--limit` reads of it waits for the runs that read the rest";

/// The state of a resource when its pass begins or resumes.
struct Standing {
    scope: StateScope,
    /// The slices of a child that earlier runs found.
    known: SliceStates,
    /// Changes of the state that begin the pass.
    begins: Vec<StateChange>,
    /// The state of the resource as a whole.
    state: SliceState,
    missed: Option<String>,
    /// Whether a usual run has moved a cursor of the resource.
    has_cursor: bool,
    /// Whether an earlier run has read some of it.
    is_known: bool,
    /// Whether everything is requested, so that children see what they have missed.
    shown_all: bool,
    unseen: Option<Unseen>,
    refresh: bool,
    effect: Effect,
    below: Below,
}

impl Standing {
    fn in_full(&self) -> bool {
        self.shown_all || self.unseen.is_some() || self.state.collided
    }

    /// Returns whether all existing rows are replaced.
    fn replaces(&self) -> bool {
        self.refresh || self.is_staged()
    }

    /// Returns whether an open pass has rows that wait for its end, to replace the existing ones.
    fn is_staged(&self) -> bool {
        self.state.pass.as_ref().is_some_and(|pass| pass.staged)
    }

    /// Returns whether a pass that would replace all rows may be published although a limit has cut
    /// it: no run has read the resource to its end, and none has begun to replace its rows.
    fn may_publish_cut(&self, full_refresh: bool) -> bool {
        match self.refresh {
            true => full_refresh && !self.is_known,
            false => self.state.done.is_none() && !self.is_staged(),
        }
    }

    /// Abandons an open pass that does not show what must be shown.
    fn look_back(&mut self, unseen: Option<Unseen>) {
        // Keys are compared only within one run.
        self.state.pass.take_if(|_| self.state.collided);
        // A child that has missed some of this resource's records must see all of them.
        self.shown_all = self.below.missed.is_some();
        if let Some(missed) = &self.below.missed
            && let Some(pass) = &self.state.pass
            && (pass.from.is_some() || pass.id <= *missed)
        {
            self.state.pass = None;
        }
        if let Some(unseen) = &unseen {
            self.state.pass.take_if(|pass| unseen.hides_from(pass));
        }
        self.unseen = unseen;
    }
}

impl<'a> Planner<'a> {
    pub fn new(
        source: &'a Source,
        options: &'a RunOptions,
        memory: &'a Memory,
        load_id: &'a str,
        now: i64,
    ) -> Self {
        Planner {
            source,
            options,
            memory,
            load_id,
            now,
            redactor: source.redactor(),
        }
    }

    /// Returns the plan of one resource, and whether it shows all its records to its children.
    pub fn resource(&self, chosen: &Chosen, prior: Prior) -> Result<(ResourcePlan, bool)> {
        let spec = chosen.resource.spec();
        let place = |error: Error| error.at(format!("resource {}", spec.name));
        let bounds = bounds(spec.cursor.as_ref(), self.options).map_err(place)?;
        // Rows that replace all others must be complete.
        let bounds = bounds.filter(|_| !prior.effect.refresh);
        let mut standing = self.standing(chosen, prior, bounds.is_some());
        let disposition = disposition(spec, standing.replaces(), bounds.is_some());
        let (deletes, kept) = self.deletes(chosen, disposition, standing.unseen.is_some());
        let pass = PassPlan {
            thorough: deletes != Deletes::Keep || standing.below.marks_gone,
            staged: disposition == Disposition::Replace,
            ..self.pass(chosen, &standing, bounds)
        };
        let pass = PassPlan {
            publishes_cut: pass.publishes_cut && pass.staged,
            ..pass
        };
        // A parent that shows only changed records does not show all its children.
        let by_cursor = (spec.cursor.as_ref()).is_some_and(|cursor| cursor.is_incremental());
        let shows_some =
            self.source.shows_changes_only(spec) && (!by_cursor || standing.has_cursor);
        let shows_all = !shows_some || standing.in_full();

        let mut notes = std::mem::take(&mut standing.effect.notes);
        notes.extend(self.restart(spec, &standing, &pass));
        notes.extend(self.notes(chosen, &pass, kept));
        if self.options.full_refresh && pass.staged && pass.limit.is_some() && !pass.publishes_cut {
            notes.push(PART_STAYS.to_owned());
        }
        if let Some(unseen) = &standing.unseen {
            notes.push(format!("read in full: {}", unseen.why));
        }
        if standing.shown_all && shows_some {
            notes.push("read in full: an earlier run did not read its children".to_owned());
        }
        let write = self.write(chosen, &standing, &pass, disposition);
        let mut write = WritePlan {
            deletes,
            ..write.map_err(place)?
        };
        if let Some(selection) = write.selection(&spec.name)? {
            notes.extend(select::note(&selection, &write.there, disposition));
        }
        let slices = self.slices(chosen, standing, &pass, &mut write.first);
        if pass.window.is_some()
            && matches!(&slices, Slices::One(slice) if slice.windows.is_empty())
        {
            notes.push(no_windows(spec.cursor.as_ref()).to_owned());
        }
        let plan = ResourcePlan {
            name: spec.name.clone(),
            parent: spec.parent.as_ref().map(|parent| parent.resource.clone()),
            loads: chosen.loads,
            request: self.request(spec, &pass, &slices),
            pass,
            slices,
            write,
            feeds: Vec::new(),
            problems: problems(spec),
            notes: unique(notes),
        };
        Ok((plan, shows_all))
    }

    /// Returns the state that earlier runs left of a resource.
    fn standing(&self, chosen: &Chosen, prior: Prior, bounded: bool) -> Standing {
        let Prior {
            state,
            parent_pass,
            unseen,
            effect,
            mut below,
        } = prior;
        let name = &chosen.resource.spec().name;
        let scope = match bounded {
            true => StateScope::of(self.options),
            false => StateScope::default(),
        };
        let counts = chosen.loads && !bounded;
        below.missed.take_if(|_| !counts);
        let refresh = self.options.full_refresh || effect.refresh;
        let (has_cursor, is_known) = (state.has_cursor(), !state.is_empty());
        let (mut known, mut begins) = state.take(&scope, name);
        if refresh && chosen.loads {
            let forgotten = std::mem::take(&mut known).into_keys();
            begins.extend(forgotten.map(|slice| scope.forget(name, &slice)));
        }
        let begun = known.remove("");
        if !chosen.loads {
            known.clear();
        }
        let missed = match &begun {
            Some(state) => state.missed.clone(),
            // A child that was never read has missed everything that its parent has shown so far.
            None => parent_pass.filter(|_| !bounded),
        };
        let mut standing = Standing {
            scope,
            known,
            begins,
            state: begun.filter(|_| chosen.loads).unwrap_or_default(),
            missed,
            has_cursor,
            is_known,
            shown_all: false,
            unseen: None,
            refresh,
            effect,
            below,
        };
        standing.look_back(unseen.filter(|_| counts));
        standing
    }

    /// Returns the pass that is read; the caller sets `staged` and `thorough`.
    fn pass(&self, chosen: &Chosen, standing: &Standing, bounds: Option<Interval>) -> PassPlan {
        let spec = chosen.resource.spec();
        let open = standing.state.pass.as_ref();
        let resumes = open.is_some_and(|pass| {
            let goes_on = spec.keeps(&pass.position) && pass.is_begun();
            spec.parent.is_some() || pass.is_windowed() || goes_on
        });
        let id = open.map_or_else(|| self.load_id.to_owned(), |pass| pass.id.clone());
        PassPlan {
            // The rows of a pass are recognised by the ids of its loads; a clock that was set back
            // breaks their order.
            partial: open.is_some_and(|pass| pass.partial) || *id > *self.load_id,
            began: (!resumes && load_time(&id) != Some(self.now)).then_some(self.now),
            id,
            resumes,
            staged: false,
            in_full: standing.in_full(),
            thorough: false,
            bounds,
            window: self.options.window,
            limit: self.options.limit.filter(|_| chosen.loads),
            publishes_cut: self.options.limit.is_some()
                && standing.may_publish_cut(self.options.full_refresh),
            scope: standing.scope.clone(),
        }
    }

    /// Returns what happens to deleted records, and why they stay if the declaration removes them.
    fn deletes(
        &self,
        chosen: &Chosen,
        disposition: Disposition,
        in_full: bool,
    ) -> (Deletes, Option<&'static str>) {
        let spec = chosen.resource.spec();
        let declared = match (chosen.loads, disposition) {
            (true, Disposition::Merge) => spec.deletes,
            _ => Deletes::Keep,
        };
        if declared == Deletes::Keep {
            return (Deletes::Keep, None);
        }
        match self.blind(spec, in_full) {
            None => (declared, None),
            // Deletions are reported in another way.
            Some(_) if spec.tombstone.is_some() || self.source.feed_of(&spec.name).is_some() => {
                (Deletes::Keep, None)
            }
            why => (Deletes::Keep, why),
        }
    }

    /// Returns why a resource does not show which records are deleted.
    fn blind(&self, spec: &ResourceSpec, in_full: bool) -> Option<&'static str> {
        let contract = self.source.contract_of(spec);
        let contract = ContractRule::apply(&self.options.contracts, contract, &spec.name);
        if !in_full && spec.cursor.as_ref().is_some_and(|c| c.is_incremental()) {
            Some("its cursor asks only for what has changed")
        } else if !in_full && self.source.shows_changes_only(spec) {
            Some("it is read only for the parents that have changed")
        } else if spec.cursor.as_ref().is_some_and(|c| c.windows.is_some()) {
            Some("windows may not show records without a value of its cursor")
        } else if discards_rows(contract) {
            Some("its contract leaves rows out")
        } else if spec.primary_key.is_empty() {
            Some("it has no key")
        } else {
            None
        }
    }

    /// Returns a note about a list whose reading cannot be resumed, since its pages are numbered.
    fn restart(&self, spec: &ResourceSpec, standing: &Standing, pass: &PassPlan) -> Option<String> {
        let open = standing.state.pass.as_ref();
        if spec.parent.is_none() && !pass.resumes && open.is_some_and(Pass::is_begun) {
            let why = "an earlier run was stopped in it, and its pages are numbered";
            return Some(format!("reads this list from its start again: {why}"));
        }
        let stops = self.options.max_time.is_some() && spec.paginator.is_numbered();
        let goes_on = spec.cursor.as_ref().is_some_and(|cursor| {
            cursor.windows.is_some() || self.options.window.is_some() || cursor.param.is_some()
        });
        (stops && !goes_on).then(|| {
            "its pages are numbered: if `--max-time` stops it, the next run reads this list from its start again".to_owned()
        })
    }

    /// Returns notes that follow from the declaration and the options.
    fn notes(&self, chosen: &Chosen, pass: &PassPlan, kept: Option<&str>) -> Vec<String> {
        let spec = chosen.resource.spec();
        let mut notes = Vec::new();
        if let Some(cursor) = &spec.cursor
            && !cursor.is_incremental()
            && chosen.loads
            && pass.bounds.is_none()
        {
            let why = match &cursor.param {
                Some(param) => format!("`{param}` cannot see later changes"),
                None => "the time of creation does not show later changes".to_owned(),
            };
            notes.push(format!("read in full each time: {why}"));
        }
        notes.extend(kept.map(|why| format!("deleted records are kept: {why}")));
        notes
    }

    /// Returns how rows are written; the caller sets `deletes`.
    fn write(
        &self,
        chosen: &Chosen,
        standing: &Standing,
        pass: &PassPlan,
        disposition: Disposition,
    ) -> Result<WritePlan> {
        let resource = &chosen.resource;
        let spec = resource.spec();
        let tables = self.memory.tables.iter();
        let there: Vec<TableSchema> = tables
            .filter(|table| chosen.loads && table.resource == spec.name)
            .cloned()
            .collect();
        // A first load that was killed is still the first.
        let unfinished = pass.resumes && standing.state.done.is_none();
        let contract = self.source.contract_of(spec);
        let looks = resource.has_closures() || standing.below.any || !spec.changes.is_empty();
        let mut write = WritePlan {
            disposition,
            key: spec.primary_key.iter().map(|keys| keys.join(".")).collect(),
            deletes: Deletes::Keep,
            contract: ContractRule::apply(&self.options.contracts, contract, &spec.name),
            first_load: there.is_empty() || unfinished,
            selected: self.selected(&**resource).filter(|_| chosen.loads),
            reads_all_fields: looks,
            there,
            coming: Vec::new(),
            first: standing.effect.first.iter().cloned().collect(),
            last: standing.effect.last.clone(),
        };
        if chosen.loads {
            let options = NormalizeOptions {
                load_id: self.load_id.to_owned(),
                layout: self.options.layout,
                identifier_length: self.memory.capabilities.identifier_length,
                ..write.normalize(spec, self.memory.capabilities.skips_unchanged)?
            };
            let mut normalizer = Normalizer::new(resource.schema(), options, &write.there)?;
            normalizer.announce(&spec.path_columns(resource.schema()));
            write.coming = coming(&write.there, normalizer.tables());
        }
        Ok(write)
    }

    /// Returns the fields of a resource that are loaded. Its key, its cursor, its tombstone and the
    /// parameters of its parent always are.
    fn selected(&self, resource: &dyn AnyResource) -> Option<Selected> {
        let spec = resource.spec();
        let rules = self.options.select.iter();
        let rules = rules.filter(|rule| rule.is_about(&spec.name));
        let rules: Vec<String> = rules.map(ToString::to_string).collect();
        if rules.is_empty() {
            return None;
        }
        let mut always = spec.primary_key.clone();
        always.extend(spec.cursor.as_ref().map(|cursor| cursor.keys.clone()));
        always.extend(spec.tombstone.as_ref().map(|field| field.keys.clone()));
        if spec.parent.is_some() {
            let names = placeholders(&spec.path);
            // The column of a parameter is left out if the record has a field of its name.
            let own = names.filter(|name| resource.schema().position(name).is_some());
            always.extend(own.map(|name| vec![name.to_owned()]));
        }
        Some(Selected { rules, always })
    }

    /// Returns the slices, as far as they are known. `first`: changes of the state that are
    /// committed with the first rows.
    fn slices(
        &self,
        chosen: &Chosen,
        standing: Standing,
        pass: &PassPlan,
        first: &mut Vec<StateChange>,
    ) -> Slices {
        let spec = chosen.resource.spec();
        let Standing {
            scope,
            known,
            mut begins,
            state,
            missed,
            shown_all,
            ..
        } = standing;
        let Some(parent) = &spec.parent else {
            first.extend(begins);
            return Slices::One(pass.slice(spec, state, self.now));
        };
        let goes_on_missed = state.missed.clone().filter(|_| pass.resumes);
        let begun = SliceState {
            pass: Some(Pass {
                id: pass.id.clone(),
                staged: pass.staged,
                partial: pass.partial,
                ..Pass::default()
            }),
            missed: match pass.resumes {
                true => goes_on_missed,
                false => missed.clone(),
            },
            done: state.done,
            collided: state.collided,
            ..SliceState::default()
        };
        if (!pass.resumes || pass.partial) && chosen.loads {
            begins.push(scope.put(&spec.name, "", &begun));
        }
        // With `shown_all`, parents that did not change are read too: the children have missed
        // them.
        let above = self.source.find(&parent.resource);
        let above = above.is_ok_and(|above| self.source.shows_changes_only(above.spec()));
        Slices::Children(ChildSlices {
            begun,
            known,
            revisit: false,
            changed_only: parent.changed_only && !shown_all && above,
            missed: missed.filter(|_| chosen.loads),
            begins,
        })
    }

    /// Returns the request for people to read, without secrets.
    fn request(&self, spec: &ResourceSpec, pass: &PassPlan, slices: &Slices) -> RequestPlan {
        let hidden = |text: &str| self.redactor.redact(text);
        let (mut query, mut body) = (spec.query.clone(), spec.body.clone());
        let paginator = &spec.paginator;
        if let Some(size) = paginator.page_size().filter(|_| !paginator.in_body()) {
            let rows = size.rows.get();
            let holder = paginator.in_json().or(paginator.in_pairs());
            let at = query
                .iter()
                .position(|(name, _)| Some(name.as_str()) == holder);
            let known = at.map(|at| query.remove(at).1);
            let known = known.as_deref();
            let text = match holder {
                Some(_) if paginator.in_json().is_some() => {
                    with_field(known, &size.param, rows.into())
                }
                Some(_) => with_pair(known, &size.param, &rows.to_string()),
                None => rows.to_string(),
            };
            query.push((holder.unwrap_or(&size.param).to_owned(), text));
        }
        if let (Some(cursor), Slices::One(slice)) = (&spec.cursor, slices)
            && slice.windows.is_empty()
        {
            let range = pass.range(cursor, slice.state.pass.as_ref());
            let keyed = !spec.primary_key.is_empty();
            for (param, bound) in cursor.bounds(&range, keyed) {
                match cursor.in_body {
                    true => {
                        let known = body.as_ref().map(serde_json::Value::to_string);
                        let json = with_field(known.as_deref(), param, cursor.json(bound));
                        body = serde_json::from_str(&json).ok();
                    }
                    false => query.push((param.to_owned(), bound)),
                }
            }
        }
        let values = spec.path_values.iter();
        let body = body.map(|body| hidden(&body.to_string()));
        RequestPlan {
            method: spec.method.name().to_owned(),
            path: spec.path.clone(),
            path_values: values
                .map(|(name, value)| (name.clone(), hidden(value)))
                .collect(),
            query: query
                .iter()
                .map(|(name, value)| (name.clone(), hidden(value)))
                .collect(),
            body: body.and_then(|body| serde_json::from_str(&body).ok()),
        }
    }
}

/// Returns how new rows are combined with existing ones. `replaces`: all existing rows are
/// replaced; `bounded`: the run has bounds.
fn disposition(spec: &ResourceSpec, replaces: bool, bounded: bool) -> Disposition {
    match spec.disposition() {
        // A window must not replace rows outside it.
        declared if bounded && (replaces || declared == Disposition::Replace) => {
            match spec.primary_key.is_empty() {
                true => Disposition::Append,
                false => Disposition::Merge,
            }
        }
        _ if replaces => Disposition::Replace,
        declared => declared,
    }
}

/// Returns the reasons why a resource cannot be read, or cannot be read to a proved end.
fn problems(spec: &ResourceSpec) -> Vec<Problem> {
    let missing = spec.unset().map(|(what, settle)| Problem {
        what: format!("it cannot be read: {what}"),
        settle,
    });
    let wrong = spec.wrong.as_ref().map(|wrong| Problem {
        what: wrong.clone(),
        settle: "leave the resource out".to_owned(),
    });
    let undecided = (*spec.paginator == Paginator::Undecided).then(|| Problem {
        what: "etlgen could not tell how this list is paged: one page is read, and more may exist"
            .into(),
        settle: format!(
            "set it in the file of `{}` with `.paginate(…)`, or `Paginator::single()`",
            spec.name
        ),
    });
    (missing.into_iter().chain(wrong))
        .chain(undecided)
        .collect()
}

/// Returns those of these tables that do not exist yet, and the missing columns of the others.
fn coming(there: &[TableSchema], tables: Vec<TableSchema>) -> Vec<TableSchema> {
    let new = |mut table: TableSchema| {
        if let Some(known) = there.iter().find(|known| known.name == table.name) {
            table.columns.retain(|column| {
                let mut known = known.columns.iter();
                !known.any(|known| known.name == column.name)
            });
        }
        (!table.columns.is_empty()).then_some(table)
    };
    tables.into_iter().filter_map(new).collect()
}

fn unique(notes: Vec<String>) -> Vec<String> {
    let mut unique: Vec<String> = Vec::new();
    for note in notes {
        if !unique.contains(&note) {
            unique.push(note);
        }
    }
    unique
}
