//! What the engine promises, for every domain there is: optimizers, expressions, learners, compute
//! graphs, and the necklaces of the example, which are no programs at all.

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use evo_domain::{DependsOn, Domain, Evaluator, Outcome, Seed, Trial};
use evo_search::{
    Evaluators, RunOptions, Search, SearchConfig, SearchError, Stopping, Store, StrategyConfig,
};
use rand::RngExt;

#[allow(dead_code, reason = "the example has a main function of its own")]
#[path = "../../examples/own_domain.rs"]
mod own_domain;

/// What caching changes: nothing but the number of evaluations.
mod course;

const DIRECTORY: &str = "EVO_TEST_DOMAIN_DIRECTORY";
const BIRTHS: u64 = 3_000;

/// A domain under test, with whoever scores its programs.
trait Case {
    type Domain: Domain;
    const NAME: &'static str;

    fn domain() -> Self::Domain;
    fn starts() -> Vec<<Self::Domain as Domain>::Program>;
    fn evaluator() -> Box<dyn Evaluator<<Self::Domain as Domain>::Program>>;

    /// Sets what is other than usual.
    fn set(_config: &mut SearchConfig) {}

    /// Who evaluates incumbents, where something is held out.
    fn held_out() -> Option<Box<dyn Evaluator<<Self::Domain as Domain>::Program>>> {
        None
    }
}

struct OfOptimizers;

impl Case for OfOptimizers {
    type Domain = evo_dsl::Optimizers;
    const NAME: &'static str = "optimizers";

    fn domain() -> evo_dsl::Optimizers {
        evo_dsl::Optimizers::default()
    }

    fn starts() -> Vec<evo_dsl::Program> {
        vec![crate::quadratic::start()]
    }

    fn evaluator() -> Box<dyn Evaluator<evo_dsl::Program>> {
        Box::new(crate::quadratic::Quadratic)
    }
}

struct OfExpressions;

impl Case for OfExpressions {
    type Domain = evo_dsl::Expressions;
    const NAME: &'static str = "expressions";

    fn domain() -> evo_dsl::Expressions {
        evo_dsl::Expressions::default().of_inputs(2)
    }

    fn starts() -> Vec<evo_dsl::Program> {
        vec![evo_dsl::Expressions::start(&["x", "y"]).expect("these are names")]
    }

    fn evaluator() -> Box<dyn Evaluator<evo_dsl::Program>> {
        use evo_evaluators::{
            ExpressionConfig, ExpressionData, ExpressionEvaluator, ExpressionTask,
        };
        let task = ExpressionTask::new(ExpressionData::Nguyen(9));
        let evaluator = ExpressionEvaluator::new(&ExpressionConfig::new(vec![task]), Path::new(""));
        Box::new(evaluator.expect("a published equation"))
    }
}

struct OfNecklaces;

impl Case for OfNecklaces {
    type Domain = own_domain::Necklaces;
    const NAME: &'static str = "necklaces";

    fn domain() -> own_domain::Necklaces {
        own_domain::Necklaces
    }

    fn starts() -> Vec<u32> {
        vec![0]
    }

    fn evaluator() -> Box<dyn Evaluator<u32>> {
        Box::new(own_domain::Restless)
    }
}

/// Of learning algorithms, whose starts are random.
struct OfLearners;

impl Case for OfLearners {
    type Domain = evo_dsl::Learners;
    const NAME: &'static str = "learners";

    fn domain() -> evo_dsl::Learners {
        crate::learners::domain(&crate::learners::judges())
    }

    fn starts() -> Vec<evo_dsl::LearnerProgram> {
        crate::learners::starts(&Self::domain(), 20)
    }

    fn evaluator() -> Box<dyn Evaluator<evo_dsl::LearnerProgram>> {
        Box::new(crate::learners::judges().search)
    }
}

/// Of compute graphs, without a network: what a graph is worth, and what it does, is what its
/// weights are known by, which pools hide.
struct OfGraphs;

fn roles_of(graph: &evo_graphs::Graph) -> String {
    let wiring = graph.wiring();
    let weighted = wiring.vertices.iter().filter(|it| it.op.has_weights()).map(|it| it.role);
    let mut roles: Vec<evo_domain::Hash> =
        weighted.chain(wiring.output.iter().map(|wire| wire.role)).collect();
    roles.sort();
    format!("{roles:?}")
}

#[derive(Debug)]
struct Roles;

impl evo_graphs::GraphProbe for Roles {
    fn name(&self) -> &str {
        "roles"
    }

    fn behaviour(&self, graph: &evo_graphs::Graph) -> Option<evo_domain::Hash> {
        Some(evo_domain::Hash::of(roles_of(graph).as_bytes()))
    }
}

impl Evaluator<evo_graphs::Graph> for Roles {
    fn evaluate(&self, cohort: &[Trial<'_, evo_graphs::Graph>]) -> Vec<Outcome> {
        let fitness = |trial: &Trial<'_, evo_graphs::Graph>| {
            let hash =
                evo_domain::Hash::of(format!("worth {}", roles_of(trial.program)).as_bytes());
            f64::from(u32::from_le_bytes([hash.0[0], hash.0[1], hash.0[2], hash.0[3]]))
        };
        let outcome = |trial| Outcome::Scored(evo_domain::Score::new(fitness(trial), vec![]));
        cohort.iter().map(outcome).collect()
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

impl Case for OfGraphs {
    type Domain = evo_graphs::Graphs;
    const NAME: &'static str = "graphs";

    fn domain() -> evo_graphs::Graphs {
        let mutation = evo_graphs::GraphMutation::default();
        evo_graphs::Graphs::new(&mutation, std::sync::Arc::new(Roles)).expect("the defaults")
    }

    fn starts() -> Vec<evo_graphs::Graph> {
        evo_graphs::GraphZooEntry::all().iter().map(evo_graphs::GraphZooEntry::graph).collect()
    }

    fn evaluator() -> Box<dyn Evaluator<evo_graphs::Graph>> {
        Box::new(Roles)
    }
}

/// Of several starts, which differ in their state slots.
struct OfSeveralStarts;

impl Case for OfSeveralStarts {
    type Domain = evo_dsl::Optimizers;
    const NAME: &'static str = "several_starts";

    fn domain() -> evo_dsl::Optimizers {
        OfOptimizers::domain()
    }

    fn starts() -> Vec<evo_dsl::Program> {
        crate::starts::programs()
    }

    fn evaluator() -> Box<dyn Evaluator<evo_dsl::Program>> {
        OfOptimizers::evaluator()
    }
}

/// Of two parents, from several starts.
struct OfTwoParents;

impl Case for OfTwoParents {
    type Domain = evo_dsl::Optimizers;
    const NAME: &'static str = "two_parents";

    fn domain() -> evo_dsl::Optimizers {
        let hasher = crate::driver::hasher();
        evo_dsl::Optimizers::new(&crate::crossover::mutation(), hasher).expect("it is valid")
    }

    fn starts() -> Vec<evo_dsl::Program> {
        crate::starts::programs()
    }

    fn evaluator() -> Box<dyn Evaluator<evo_dsl::Program>> {
        OfOptimizers::evaluator()
    }
}

/// With something held out, by which it restarts again and again.
struct OfHeldOut;

impl Case for OfHeldOut {
    type Domain = evo_dsl::Optimizers;
    const NAME: &'static str = "held_out";

    fn domain() -> evo_dsl::Optimizers {
        OfOptimizers::domain()
    }

    fn starts() -> Vec<evo_dsl::Program> {
        OfOptimizers::starts()
    }

    fn evaluator() -> Box<dyn Evaluator<evo_dsl::Program>> {
        OfOptimizers::evaluator()
    }

    fn held_out() -> Option<Box<dyn Evaluator<evo_dsl::Program>>> {
        Some(Box::new(crate::held_out::Elsewhere))
    }
}

/// A case of another under a policy.
macro_rules! under {
    ($case:ident of $other:ty, $name:literal, $policy:literal) => {
        struct $case;

        impl Case for $case {
            type Domain = <$other as Case>::Domain;
            const NAME: &'static str = $name;

            fn domain() -> Self::Domain {
                <$other>::domain()
            }

            fn starts() -> Vec<<Self::Domain as Domain>::Program> {
                <$other>::starts()
            }

            fn evaluator() -> Box<dyn Evaluator<<Self::Domain as Domain>::Program>> {
                Box::new(Repeating::<Self::Domain>(<$other>::evaluator()))
            }

            fn set(config: &mut SearchConfig) {
                config.deduplication = ron::from_str($policy).expect("it is a policy");
                config.noise.sd = 0.01;
            }
        }
    };
}

under!(OfAggregating of OfOptimizers, "aggregating",
    "(aggregate: 3, refresh: true, forget: 0.05, forget_every: Some(20), recheck: 0.0)");
under!(OfForgetting of OfLearners, "forgetting",
    "(forget_every: Some(5), recheck: 0.0, tabu: (last: Some(20)))");
under!(OfCounterfactual of OfExpressions, "counterfactual",
    "(counterfactual: true, recheck: 0.0, tabu: (last: Some(50), retries: 2))");
under!(OfTabu of OfNecklaces, "tabu", "(tabu: (last: Some(100)), recheck: 0.0)");

/// As another, and every repeat has a little more.
struct Repeating<D: Domain>(Box<dyn Evaluator<D::Program>>);

impl<D: Domain> Evaluator<D::Program> for Repeating<D> {
    fn evaluate(&self, cohort: &[Trial<'_, D::Program>]) -> Vec<Outcome> {
        let mut outcomes = self.0.evaluate(cohort);
        for (outcome, trial) in outcomes.iter_mut().zip(cohort) {
            if let Outcome::Scored(score) = outcome {
                score.fitness += 1e-3 * f64::from(trial.repeat);
            }
        }
        outcomes
    }

    fn depends_on(&self) -> DependsOn {
        self.0.depends_on()
    }
}

fn search<C: Case>() -> Search<C::Domain> {
    let mut config: SearchConfig = SearchConfig::new(
        StrategyConfig::RegularizedEvolution { population: 50, tournament: 5 },
        Stopping { candidates: Some(BIRTHS), ..Stopping::default() },
    );
    config.window = 40;
    config.deduplication.recheck = 0.1;
    if C::held_out().is_some() {
        (config.held_out.every, config.restarts.held_out) = (Some(70), Some(3));
        config.restarts.plateau = Some(400);
    }
    C::set(&mut config);
    Search::from_starts(&config, Seed(5), C::domain(), C::starts()).expect("the settings are valid")
}

fn stored<C: Case>(path: &Path) -> Result<Search<C::Domain>, SearchError> {
    let store = match path.exists() {
        true => Store::open(path, &C::domain()),
        false => Store::create(path, &[]),
    };
    search::<C>().with_store(store?)
}

fn run<C: Case>(search: &mut Search<C::Domain>, threads: usize) -> String {
    let threads = NonZeroUsize::new(threads).expect("one or more");
    let options = RunOptions { threads, ..RunOptions::default() };
    let (evaluator, held_out) = (C::evaluator(), C::held_out());
    let evaluators = Evaluators { search: &*evaluator, held_out: held_out.as_deref() };
    evo_search::run_with(search, evaluators, &mut (), &options).expect("the store works");
    assert_eq!(search.counters().births, BIRTHS);
    assert_eq!(search.held_out().points().len() > 30, search.holds_out());
    let counters = search.counters();
    let shares = counters.functional_hits > 0 && counters.structural_hits > 0;
    assert_eq!(shares, !search.deduplication().counterfactual);
    search.digest().to_string()
}

fn threads_change_nothing<C: Case>() {
    let alone = run::<C>(&mut search::<C>(), 1);
    for threads in [2, 8] {
        assert_eq!(run::<C>(&mut search::<C>(), threads), alone, "{threads} threads");
    }
}

/// Asks, tells and breeds in any order, and leaves the run again and again.
fn interruptions_change_nothing<C: Case>() {
    let expected = run::<C>(&mut search::<C>(), 2);
    let directory = tempfile::TempDir::new().expect("there is room");
    let path = directory.path().join("run.db");
    let (evaluator, held_out) = (C::evaluator(), C::held_out());
    let mut rng = Seed(9).stream("interruptions", 0);
    for steps in [0, 1, 70, 900, 20, 1_500] {
        let mut search = stored::<C>(&path).expect("the store works");
        let (mut asked, mut conceived) = (Vec::new(), Vec::new());
        for _ in 0..steps {
            match rng.random_range(0..4) {
                0 => conceived.extend(search.conceive().expect("the store works")),
                1 if !conceived.is_empty() => {
                    let any = conceived.swap_remove(rng.random_range(0..conceived.len()));
                    let bred = search.breeder().breed(any);
                    search.settle(bred).expect("the store works");
                }
                2 => asked.extend(search.ask_bred()),
                3 if !asked.is_empty() => {
                    let any = asked.swap_remove(rng.random_range(0..asked.len()));
                    let evaluator = match any.held_out {
                        true => held_out.as_deref().expect("something is held out"),
                        false => &*evaluator,
                    };
                    let outcome = evaluator.evaluate(&[any.trial()]).remove(0);
                    search.tell(any.birth, outcome).expect("it is in flight");
                }
                _ => {}
            }
        }
        search.commit(0.0).expect("the store works");
    }
    let mut search = stored::<C>(&path).expect("the store works");
    assert!((1..BIRTHS).contains(&search.counters().births), "{:?}", search.counters());
    assert_eq!(run::<C>(&mut search, 2), expected);
}

/// Kills the process that it is in at an evaluation.
struct Deadly<'a, P> {
    evaluator: &'a dyn Evaluator<P>,
    left: AtomicU64,
}

impl<P> Evaluator<P> for Deadly<'_, P> {
    fn evaluate(&self, cohort: &[Trial<'_, P>]) -> Vec<Outcome> {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 0 {
            std::process::abort();
        }
        self.evaluator.evaluate(cohort)
    }

    fn depends_on(&self) -> DependsOn {
        self.evaluator.depends_on()
    }
}

/// What a victim does: goes on with the run until it dies in the middle of it.
fn die<C: Case>() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let mut search = stored::<C>(&Path::new(&directory).join("run.db")).expect("the store works");
    let evaluator = C::evaluator();
    let evaluator = Deadly { evaluator: &*evaluator, left: AtomicU64::new(60) };
    let held_out = C::held_out();
    let evaluators = Evaluators { search: &evaluator, held_out: held_out.as_deref() };
    let options = RunOptions { threads: NonZeroUsize::new(2).expect("two"), ..Default::default() };
    evo_search::run_with(&mut search, evaluators, &mut (), &options).expect("the store works");
    unreachable!("it needs more evaluations than it is left");
}

fn deaths_change_nothing<C: Case>() {
    let expected = run::<C>(&mut search::<C>(), 2);
    let directory = tempfile::TempDir::new().expect("there is room");
    let path = directory.path().join("run.db");
    let mut before = 0;
    for _ in 0..3 {
        let mut victim = Command::new(std::env::current_exe().expect("the system knows it"));
        victim.args(["--exact", "--ignored", &format!("domains::{}::victim", C::NAME)]);
        victim.env(DIRECTORY, directory.path()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(!victim.status().expect("it starts").success(), "it was to die");
        let births = stored::<C>(&path).expect("the store is sound").counters().births;
        // What a death leaves depends on what was written by then: perhaps nothing new.
        assert!(births >= before && births < BIRTHS, "it died in the middle, at {births}");
        before = births;
    }
    assert!(before > 0, "some of it was written");
    assert_eq!(run::<C>(&mut stored::<C>(&path).expect("the store is sound"), 1), expected);
}

macro_rules! promises {
    ($($module:ident: $case:ty;)*) => {$(
        mod $module {
            #[test]
            fn threads_change_nothing() {
                super::threads_change_nothing::<$case>();
            }

            #[test]
            fn interruptions_change_nothing() {
                super::interruptions_change_nothing::<$case>();
            }

            #[test]
            fn deaths_change_nothing() {
                super::deaths_change_nothing::<$case>();
            }

            #[test]
            #[ignore = "is run by the test above, and dies of it"]
            fn victim() {
                super::die::<$case>();
            }
        }
    )*};
}

promises! {
    optimizers: super::OfOptimizers;
    expressions: super::OfExpressions;
    learners: super::OfLearners;
    graphs: super::OfGraphs;
    necklaces: super::OfNecklaces;
    several_starts: super::OfSeveralStarts;
    two_parents: super::OfTwoParents;
    held_out: super::OfHeldOut;
    aggregating: super::OfAggregating;
    forgetting: super::OfForgetting;
    counterfactual: super::OfCounterfactual;
    tabu: super::OfTabu;
}

#[test]
fn a_store_of_another_domain_is_refused() {
    let directory = tempfile::TempDir::new().expect("there is room");
    let path = directory.path().join("run.db");
    drop(stored::<OfExpressions>(&path).expect("it is new").commit(0.0));
    let refused = stored::<OfNecklaces>(&path).err().expect("it holds expressions");
    assert!(refused.to_string().contains("expressions"), "{refused}");
}
