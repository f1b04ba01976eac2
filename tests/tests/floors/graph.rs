//! The dependencies between modules of a crate, read from the tokens of its files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The keys of a module: `run`, `plan`.
type Module = Vec<String>;

/// A path within the crate, in one of its files.
struct Use {
    /// The module of the file.
    module: Module,
    file: String,
    line: usize,
    /// The path, from the root of the crate.
    path: Vec<String>,
}

/// The dependencies in the files of a crate.
pub struct Crate {
    modules: BTreeSet<Module>,
    uses: Vec<Use>,
    /// Names that a module gets by `use`, and their paths.
    names: BTreeMap<(Module, String), Vec<String>>,
}

/// A use of one module by another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrow {
    pub from: String,
    pub to: String,
    pub file: String,
    pub line: usize,
    /// The path in the file, from the root of the crate.
    pub path: String,
}

/// Modules that use each other, and how.
pub struct Circle {
    /// The folder that they are in.
    pub room: String,
    pub members: Vec<String>,
    pub arrows: Vec<Arrow>,
}

impl Arrow {
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

impl fmt::Display for Arrow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Arrow { from, to, path, .. } = self;
        write!(f, "{}: {from} uses {to}: `{path}`", self.place())
    }
}

impl Crate {
    /// Reads all files below `src`, which messages call `shown`.
    pub fn read(src: &Path, shown: &str) -> Self {
        let mut files = Vec::new();
        collect(src, &mut Vec::new(), &mut files);
        files.sort();
        let mut read = Crate {
            modules: files.iter().map(|(module, _)| module.clone()).collect(),
            uses: Vec::new(),
            names: BTreeMap::new(),
        };
        for (module, path) in files {
            let text = fs::read_to_string(&path).unwrap();
            let tokens: TokenStream = text
                .parse()
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let below = path.strip_prefix(src).unwrap();
            let mut walk = Walk {
                file: format!("{shown}/{}", below.display()),
                module,
                inline: Vec::new(),
                read: &mut read,
            };
            walk.tokens(tokens);
        }
        assert!(!read.uses.is_empty(), "no file of {shown} uses another");
        read
    }

    /// Returns the arrows between the modules of the root.
    pub fn top_arrows(&self) -> Vec<Arrow> {
        self.arrows(&[])
    }

    /// Returns the arrows between the modules directly below one.
    fn arrows(&self, room: &[String]) -> Vec<Arrow> {
        let mut arrows = BTreeSet::new();
        for used in &self.uses {
            let below = used.module.strip_prefix(room).and_then(<[_]>::first);
            let Some(from) = below else { continue };
            let target = self.target(&used.path);
            let Some(to) = target.strip_prefix(room).and_then(<[_]>::first) else {
                continue;
            };
            if from != to {
                let name = |last: &String| [room, std::slice::from_ref(last)].concat().join("/");
                arrows.insert(Arrow {
                    from: name(from),
                    to: name(to),
                    file: used.file.clone(),
                    line: used.line,
                    path: format!("crate::{}", used.path.join("::")),
                });
            }
        }
        let mut arrows: Vec<_> = arrows.into_iter().collect();
        arrows.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        arrows
    }

    /// Returns the module that a path leads to, through re-exports.
    fn target(&self, path: &[String]) -> Module {
        let mut path = path.to_vec();
        // A name may be re-exported several times, but not endlessly.
        for _ in 0..8 {
            let known = (0..=path.len()).rev();
            let mut known = known.filter(|end| self.modules.contains(&path[..*end]));
            let end = known.next().unwrap_or(0);
            let name = path.get(end).cloned();
            let passed = name.and_then(|name| self.names.get(&(path[..end].to_vec(), name)));
            match passed {
                Some(passed) => path = [passed.as_slice(), &path[end + 1..]].concat(),
                None => return path[..end].to_vec(),
            }
        }
        path
    }

    /// Returns the circles between the modules of each folder, starting with the root.
    pub fn circles(&self) -> Vec<Circle> {
        let mut circles = Vec::new();
        let rooms: BTreeSet<_> = self
            .modules
            .iter()
            .filter(|module| !module.is_empty())
            .map(|module| module[..module.len() - 1].to_vec())
            .collect();
        for room in rooms {
            let arrows = self.arrows(&room);
            for members in knots(&arrows) {
                let inside =
                    |arrow: &&Arrow| members.contains(&arrow.from) && members.contains(&arrow.to);
                circles.push(Circle {
                    room: room.join("/"),
                    arrows: arrows.iter().filter(inside).cloned().collect(),
                    members: members.iter().cloned().collect(),
                });
            }
        }
        circles
    }
}

/// Returns the sets of modules in which each module reaches every other.
fn knots(arrows: &[Arrow]) -> BTreeSet<BTreeSet<String>> {
    let reach = |from: &str, back: bool| {
        let mut met = BTreeSet::new();
        let mut open = vec![from.to_owned()];
        while let Some(at) = open.pop() {
            for arrow in arrows {
                let (from, to) = match back {
                    true => (&arrow.to, &arrow.from),
                    false => (&arrow.from, &arrow.to),
                };
                if *from == at && met.insert(to.clone()) {
                    open.push(to.clone());
                }
            }
        }
        met
    };
    let modules: BTreeSet<_> = arrows.iter().map(|arrow| arrow.from.as_str()).collect();
    let knots = modules.into_iter().map(|module| {
        let (to, from) = (reach(module, false), reach(module, true));
        to.intersection(&from).cloned().collect::<BTreeSet<_>>()
    });
    knots.filter(|knot| !knot.is_empty()).collect()
}

/// Collects the files below a folder, and their modules.
fn collect(dir: &Path, module: &mut Module, files: &mut Vec<(Module, std::path::PathBuf)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else {
            continue;
        };
        if path.is_dir() {
            module.push(stem.to_owned());
            collect(&path, module, files);
            module.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let mut at = module.clone();
            if !["mod", "lib", "main"].contains(&stem) {
                at.push(stem.to_owned());
            }
            files.push((at, path));
        }
    }
}

/// Walks the tokens of one file.
struct Walk<'a> {
    file: String,
    module: Module,
    /// The current inline modules.
    inline: Vec<String>,
    read: &'a mut Crate,
}

impl Walk<'_> {
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let word = |at: usize| match tokens.get(at) {
            Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
            _ => None,
        };
        let mut at = 0;
        while at < tokens.len() {
            let word_here = word(at);
            if word_here.as_deref() == Some("mod")
                && let (Some(name), Some(TokenTree::Group(body))) =
                    (word(at + 1), tokens.get(at + 2))
                && body.delimiter() == Delimiter::Brace
            {
                self.inline.push(name);
                self.tokens(body.stream());
                self.inline.pop();
                at += 3;
                continue;
            }
            if word_here.as_deref() == Some("use") {
                let end = (at..tokens.len())
                    .find(|at| matches!(&tokens[*at], TokenTree::Punct(p) if p.as_char() == ';'))
                    .unwrap_or(tokens.len());
                self.tree(&tokens[at + 1..end], &[], true);
                at = end;
                continue;
            }
            match &tokens[at] {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(_) if is_path(&tokens[at..]) && starts(&tokens, at) => {
                    at += self.tree(&tokens[at..], &[], false);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// Reads a path, or the tree of a `use`; returns the number of its tokens.
    fn tree(&mut self, tokens: &[TokenTree], before: &[(String, usize)], is_use: bool) -> usize {
        let mut path = before.to_vec();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Ident(name) if is_use && name == "as" => {
                    let alias = tokens.get(at + 1).map(ToString::to_string);
                    self.found(&path, alias);
                    return at + 2;
                }
                TokenTree::Ident(name) => {
                    path.push((name.to_string(), name.span().start().line));
                    at += 1;
                    if !is_colons(&tokens[at..])
                        && !matches!(tokens.get(at), Some(TokenTree::Ident(i)) if i == "as")
                    {
                        break;
                    }
                }
                TokenTree::Punct(colon) if colon.as_char() == ':' => at += 1,
                TokenTree::Group(group) if is_use => {
                    let items: Vec<_> = group.stream().into_iter().collect();
                    let comma = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ',');
                    for item in items.split(comma) {
                        self.tree(item, &path, true);
                    }
                    return at + 1;
                }
                _ => break,
            }
        }
        let last = path.last().map(|(name, _)| name.clone());
        self.found(&path, last.filter(|_| is_use));
        at.max(1)
    }

    /// Adds a path, and its name in this module.
    fn found(&mut self, path: &[(String, usize)], name: Option<String>) {
        let Some((_, line)) = path.last() else { return };
        let words: Vec<_> = path.iter().map(|(word, _)| word.as_str()).collect();
        let mut base = [self.module.as_slice(), &self.inline].concat();
        let rest = match words.as_slice() {
            ["crate", rest @ ..] => {
                base.clear();
                rest
            }
            ["self", rest @ ..] => rest,
            ["super", ..] => {
                let ups = words.iter().take_while(|word| **word == "super").count();
                base.truncate(base.len().saturating_sub(ups));
                &words[ups..]
            }
            // A path without a root belongs to the crate if it starts with a module below this one.
            [first, ..] => {
                base.push((*first).to_owned());
                if !self.read.modules.contains(&base) {
                    return;
                }
                base.pop();
                &words
            }
            [] => return,
        };
        let rest = rest.iter().filter(|word| **word != "self");
        base.extend(rest.map(|word| (*word).to_owned()));
        if let Some(name) = name
            && self.inline.is_empty()
        {
            let name = match name.as_str() {
                "self" => base.last().cloned().unwrap_or_default(),
                _ => name,
            };
            let alias = (self.module.clone(), name);
            if alias.0.iter().chain([&alias.1]).ne(base.iter()) {
                self.read.names.insert(alias, base.clone());
            }
        }
        self.read.uses.push(Use {
            module: self.module.clone(),
            file: self.file.clone(),
            line: *line,
            path: base,
        });
    }
}

/// Returns whether a path of at least two words starts here.
fn is_path(tokens: &[TokenTree]) -> bool {
    is_colons(&tokens[1..])
}

/// Returns whether no path precedes the word at that position.
fn starts(tokens: &[TokenTree], at: usize) -> bool {
    at < 2 || !is_colons(&tokens[at - 2..])
}

fn is_colons(tokens: &[TokenTree]) -> bool {
    let colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == ':');
    colon(tokens.first()) && colon(tokens.get(1))
}
