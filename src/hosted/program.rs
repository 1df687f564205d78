//! A program of any domain.
//!
//! Invariant: a program is its text and its domain: both together give it back, and two are equal
//! exactly if these are.

use std::path::Path;
use std::sync::Arc;

use evo_domain::Domain;
use evo_dsl::{
    Expressions, LearnerProgram, LearnerZooEntry, Learners, Optimizers, Program, Rounding,
    simplify, zoo,
};
use evo_graphs::{Graph, GraphZooEntry, Graphs};
use evo_hashes::Hash;

use super::{HostError, HostErrorKind};
use crate::{DomainName, ExportTarget, LearnerTarget};

/// A program of one of the domains.
#[derive(Clone, Debug)]
pub enum AnyProgram {
    /// An optimizer.
    Optimizer(Arc<Program>),
    /// An expression.
    Expression(Arc<Program>),
    /// A learner.
    Learner(Arc<LearnerProgram>),
    /// A compute graph.
    Graph(Arc<Graph>),
}

/// A domain whose programs a host can hold.
pub(crate) trait Hostable: Domain {
    fn wrap(program: Arc<Self::Program>) -> AnyProgram;
    fn unwrap(program: &AnyProgram) -> Option<&Arc<Self::Program>>;
}

macro_rules! hostable {
    ($($domain:ty => $kind:ident),*) => {$(
        impl Hostable for $domain {
            fn wrap(program: Arc<Self::Program>) -> AnyProgram {
                AnyProgram::$kind(program)
            }

            fn unwrap(program: &AnyProgram) -> Option<&Arc<Self::Program>> {
                match program {
                    AnyProgram::$kind(program) => Some(program),
                    _ => None,
                }
            }
        }
    )*};
}

hostable!(
    Optimizers => Optimizer, Expressions => Expression, Learners => Learner, Graphs => Graph
);

/// As the invariant says; the very same program is told without its text.
impl PartialEq for AnyProgram {
    fn eq(&self, other: &AnyProgram) -> bool {
        use AnyProgram::{Expression, Graph, Learner, Optimizer};
        let same = match (self, other) {
            (Optimizer(a), Optimizer(b)) | (Expression(a), Expression(b)) => Arc::ptr_eq(a, b),
            (Learner(a), Learner(b)) => Arc::ptr_eq(a, b),
            (Graph(a), Graph(b)) => Arc::ptr_eq(a, b),
            _ => return false,
        };
        same || self.text() == other.text()
    }
}

fn refused(message: impl Into<String>) -> HostError {
    HostError::new(HostErrorKind::Program, message)
}

fn malformed(error: impl std::fmt::Display) -> HostError {
    refused(error.to_string())
}

impl AnyProgram {
    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(domain: DomainName, text: &str) -> Result<AnyProgram, HostError> {
        Ok(match domain {
            DomainName::Optimizers | DomainName::Enumerated => {
                AnyProgram::Optimizer(Program::parse(text).map_err(malformed)?.into())
            }
            DomainName::Expressions => {
                AnyProgram::Expression(Program::parse_expression(text).map_err(malformed)?.into())
            }
            DomainName::Learners => {
                AnyProgram::Learner(LearnerProgram::parse(text).map_err(malformed)?.into())
            }
            DomainName::Graphs => AnyProgram::Graph(Graph::parse(text).map_err(malformed)?.into()),
        })
    }

    /// From `zoo:NAME`, a file, or `RUN_DIR[:BIRTH]`.
    ///
    /// # Errors
    /// When there is no such program there, or one of another domain.
    pub fn load(domain: DomainName, source: &str) -> Result<AnyProgram, HostError> {
        let base = Path::new("");
        Ok(match domain {
            DomainName::Optimizers | DomainName::Enumerated => {
                AnyProgram::Optimizer(crate::load_program(source, base)?.into())
            }
            DomainName::Expressions => {
                let program = crate::load_any_program(source, base)?;
                if !program.signature().is_expression() {
                    return Err(refused(format!("{source}: is an optimizer, not an expression")));
                }
                AnyProgram::Expression(program.into())
            }
            DomainName::Learners => AnyProgram::Learner(crate::load_learner(source, base)?.into()),
            DomainName::Graphs => AnyProgram::Graph(crate::load_graph(source, base)?.into()),
        })
    }

    /// The names of the programs that ship with a domain.
    pub fn zoo(domain: DomainName) -> Vec<&'static str> {
        match domain {
            DomainName::Optimizers | DomainName::Enumerated => {
                zoo::entries().iter().map(|entry| entry.name).collect()
            }
            DomainName::Expressions => Vec::new(),
            DomainName::Learners => LearnerZooEntry::all().iter().map(|it| it.name).collect(),
            DomainName::Graphs => GraphZooEntry::all().iter().map(|it| it.name).collect(),
        }
    }

    /// Its domain.
    pub fn domain(&self) -> DomainName {
        match self {
            AnyProgram::Optimizer(_) => DomainName::Optimizers,
            AnyProgram::Expression(_) => DomainName::Expressions,
            AnyProgram::Learner(_) => DomainName::Learners,
            AnyProgram::Graph(_) => DomainName::Graphs,
        }
    }

    /// Its text.
    pub fn text(&self) -> String {
        match self {
            AnyProgram::Optimizer(it) | AnyProgram::Expression(it) => it.to_string(),
            AnyProgram::Learner(it) => it.to_string(),
            AnyProgram::Graph(it) => it.to_string(),
        }
    }

    /// Without what has no effect.
    #[must_use]
    pub fn live(&self) -> AnyProgram {
        match self {
            AnyProgram::Optimizer(it) => AnyProgram::Optimizer(it.live().into()),
            AnyProgram::Expression(it) => AnyProgram::Expression(it.live().into()),
            AnyProgram::Learner(it) => AnyProgram::Learner(it.live().into()),
            AnyProgram::Graph(it) => AnyProgram::Graph(it.live().into()),
        }
    }

    /// Live parts.
    pub fn length(&self) -> usize {
        match self {
            AnyProgram::Optimizer(it) | AnyProgram::Expression(it) => it.live().statements().len(),
            AnyProgram::Learner(it) => it.live().statements().len(),
            AnyProgram::Graph(it) => it.live().ops().len(),
        }
    }

    /// The structural hash.
    pub fn structural_hash(&self) -> Hash {
        fn of<D: Domain + Default>(program: &D::Program) -> Hash {
            let domain = D::default();
            domain.structure(program, &domain.analyse(program))
        }
        match self {
            AnyProgram::Optimizer(it) => of::<Optimizers>(it),
            AnyProgram::Expression(it) => of::<Expressions>(it),
            AnyProgram::Learner(it) => of::<Learners>(it),
            AnyProgram::Graph(it) => of::<Graphs>(it),
        }
    }

    /// The functional hash by the domain's own probe; `None` where that is not finite.
    ///
    /// # Errors
    /// Of a learner or a graph: what these do is asked on the data of a search.
    pub fn functional_hash(&self) -> Result<Option<Hash>, HostError> {
        fn of<D: Domain + Default>(program: &D::Program) -> Option<Hash> {
            let domain = D::default();
            domain.behaviour(program, &domain.analyse(program))
        }
        match self {
            AnyProgram::Optimizer(it) => Ok(of::<Optimizers>(it)),
            AnyProgram::Expression(it) => Ok(of::<Expressions>(it)),
            AnyProgram::Learner(_) | AnyProgram::Graph(_) => Err(refused(
                "learners and graphs are compared on the data of a search, and have no functional \
                 hash without",
            )),
        }
    }

    /// The shortest equal program that is found.
    ///
    /// # Errors
    /// Of a graph, for which there are no rules; of a learner where rounding is allowed.
    pub fn simplified(&self, rounding: Rounding) -> Result<AnyProgram, HostError> {
        Ok(match self {
            AnyProgram::Optimizer(it) => {
                AnyProgram::Optimizer(simplify(it, rounding).program.into())
            }
            AnyProgram::Expression(it) => {
                AnyProgram::Expression(simplify(it, rounding).program.into())
            }
            AnyProgram::Learner(it) => match rounding {
                Rounding::Exact => AnyProgram::Learner(it.simplified().into()),
                Rounding::Allow => return Err(refused("learners are simplified exactly")),
            },
            AnyProgram::Graph(_) => {
                return Err(refused("there are no rules to simplify a compute graph by"));
            }
        })
    }

    /// The program as code of another language, its class or function called by `name`.
    ///
    /// # Errors
    /// A target that there is not for this kind of program, or a name that is none.
    pub fn export(&self, target: &str, name: &str) -> Result<String, HostError> {
        if !name.chars().any(|c| c.is_ascii_alphabetic()) {
            let message = format!("`{name}` cannot be the name of a class: it holds no letter");
            return Err(refused(message));
        }
        let unknown = |names: &[&str]| {
            refused(format!("no export to `{target}`; there are {}", names.join(", ")))
        };
        match self {
            AnyProgram::Optimizer(it) | AnyProgram::Expression(it) => {
                let to = ExportTarget::from_name(target);
                let to = to.ok_or_else(|| unknown(&ExportTarget::ALL.map(ExportTarget::name)))?;
                Ok(crate::export(it, name, to))
            }
            AnyProgram::Learner(it) => {
                let to = LearnerTarget::from_name(target);
                let to = to.ok_or_else(|| unknown(&LearnerTarget::ALL.map(LearnerTarget::name)))?;
                Ok(crate::export_learner(it, name, to))
            }
            AnyProgram::Graph(_) => Err(refused("compute graphs have no export")),
        }
    }
}
