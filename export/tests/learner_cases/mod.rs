//! Learners whose exports are run, what they are trained on, and what the interpreter predicts.
//!
//! Every op but the elementary functions is exact in any language, so learners without these must
//! agree to the bit, however chaotic they are. Elementary functions differ in the last bit from
//! library to library; each stands in a learner of its own, where little amplifies that.

use evo_dsl::{
    Draw, LearnerFunction, LearnerInterpreter, LearnerOp, LearnerProgram, LearnerStatement,
    LearnerType, LearnerZooEntry,
};

/// A learner, and whether its predictions must have the bits of the interpreter.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) program: LearnerProgram,
    pub(crate) exact: bool,
}

/// The number of features.
pub(crate) const FEATURES: usize = 5;
/// Examples to train on, and to predict only behind those.
pub(crate) const EXAMPLES: [usize; 2] = [12, 4];
/// Random learners.
const RANDOM: u64 = 60;

const ELEMENTARY: [LearnerOp; 8] = [
    LearnerOp::ScalarSin,
    LearnerOp::ScalarCos,
    LearnerOp::ScalarTan,
    LearnerOp::ScalarArcsin,
    LearnerOp::ScalarArccos,
    LearnerOp::ScalarArctan,
    LearnerOp::ScalarExp,
    LearnerOp::ScalarLog,
];

/// A value is live in these whatever is put in front of `Predict` and behind `Learn`.
const FRAME: &str = "def Setup():
  v1 = gaussian(0.1, 1.0, n_features)
  s2 = 0.4
  v2 = uniform(-1.0, 1.0, n_features)
  m1 = outer(v1, v2)
  m2 = gaussian(0.0, 1.0, (n_features, n_features))
  m3 = uniform(0.5, 2.0, (n_features, n_features))
  m0 = transpose(m2)
  s3 = -0.7
def Predict():
  v3 = dot(m1, v0)
  v3 = v3 + v2
  s4 = norm(m3)
  s4 = s4 * s2
  s1 = dot(v3, v1)
  s1 = s1 + s4
def Learn():
";

pub(crate) fn cases() -> Vec<Case> {
    let zoo = LearnerZooEntry::all().iter();
    let zoo = zoo.map(|it| Case { name: it.name.to_owned(), program: it.program(), exact: true });
    let ops = LearnerOp::all().map(|op| Case {
        name: op.info().name.to_owned(),
        program: of_op(op),
        exact: !ELEMENTARY.contains(&op),
    });
    let random = (0..RANDOM).map(|index| Case {
        name: format!("random {index}"),
        program: random(index),
        exact: true,
    });
    zoo.chain(ops).chain(random).collect()
}

/// Numbers that look drawn, the same in every language: integers alone make them.
pub(crate) struct Mixed(u64);

impl Mixed {
    pub(crate) fn new(seed: u64) -> Mixed {
        Mixed(seed * 7_919 + 12_345)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        self.0
    }

    fn below(&mut self, count: usize) -> usize {
        (self.next() / 7) as usize % count
    }

    /// Above 0 and below 1.
    pub(crate) fn part(&mut self) -> f64 {
        self.next() as f64 / 2_147_483_648.0
    }
}

/// What random ops draw: the exports are given the same.
impl Draw for Mixed {
    fn uniform(&mut self) -> f64 {
        self.part()
    }

    fn normal(&mut self) -> f64 {
        (self.part() - 0.5) * 3.0
    }
}

fn statement(op: LearnerOp, mixed: &mut Mixed) -> LearnerStatement {
    let info = op.info();
    let mut statement = LearnerStatement { op, ..LearnerStatement::NO_OP };
    for (address, _) in statement.inputs.iter_mut().zip(info.inputs) {
        *address = mixed.below(4) as u8;
    }
    if let Some(ty) = info.output {
        let least = usize::from(ty != LearnerType::Matrix);
        statement.output = (least + mixed.below(4 - least)) as u8;
    }
    for constant in &mut statement.constants[..info.constants.count()] {
        *constant = mixed.part() * 2.0 - 1.0;
    }
    statement
}

/// A learner in which an op decides the prediction.
fn of_op(op: LearnerOp) -> LearnerProgram {
    let mut mixed = Mixed::new(u64::from(op.number()) + 500);
    let frame = LearnerProgram::parse(FRAME).expect("it is one");
    let mut functions = LearnerFunction::ALL.map(|function| frame.function(function).to_vec());
    // What is read and written is live in the frame.
    let mut tested = statement(op, &mut mixed);
    tested.output = match op.info().output {
        None => 0,
        Some(LearnerType::Scalar) => 2,
        Some(LearnerType::Vector) => 2,
        Some(LearnerType::Matrix) => 3,
    };
    if ELEMENTARY.contains(&op) {
        tested.inputs[0] = 3;
    }
    functions[1].insert(0, tested);
    functions[2].push(LearnerStatement { inputs: [1, 2], ..tested });
    for statement in &mut functions[2] {
        for input in statement.inputs.iter_mut().skip(op.info().inputs.len()) {
            *input = 0;
        }
    }
    let [setup, predict, learn] = &functions;
    LearnerProgram::new([setup, predict, learn]).expect("statements are sound")
}

/// One of any ops but the elementary functions, of which something is live.
fn random(seed: u64) -> LearnerProgram {
    let ops: Vec<LearnerOp> = LearnerOp::all().filter(|op| !ELEMENTARY.contains(op)).collect();
    let mut mixed = Mixed::new(seed + 1_000);
    loop {
        let functions = [6, 12, 12].map(|length| {
            let one = |_| statement(ops[mixed.below(ops.len())], &mut mixed);
            (0..length).map(one).collect::<Vec<_>>()
        });
        let [setup, predict, learn] = &functions;
        let program = LearnerProgram::new([setup, predict, learn]).expect("statements are sound");
        if program.live().statements().len() > 8 {
            return program;
        }
    }
}

/// Every example, its features and its label.
pub(crate) fn examples() -> Vec<([f64; FEATURES], f64)> {
    let mut mixed = Mixed::new(77);
    let mut draw = || mixed.part() * 2.0 - 1.0;
    (0..EXAMPLES[0] + EXAMPLES[1]).map(|_| (std::array::from_fn(|_| draw()), draw())).collect()
}

/// The predictions of the interpreter. The task puts another number in place of every third.
pub(crate) fn predictions(program: &LearnerProgram) -> Vec<f64> {
    let mut learner = LearnerInterpreter::new(program, FEATURES);
    let mut draw = Mixed::new(3);
    learner.run(LearnerFunction::Setup, &mut draw);
    let mut found = Vec::new();
    for (index, (features, label)) in examples().into_iter().enumerate() {
        learner.set_features(&features);
        learner.set_label(0.0);
        learner.run(LearnerFunction::Predict, &mut draw);
        found.push(learner.prediction());
        if index < EXAMPLES[0] {
            if index % 3 == 2 {
                learner.set_prediction(learner.prediction() * 0.25);
            }
            learner.set_label(label);
            learner.run(LearnerFunction::Learn, &mut draw);
        }
    }
    found
}
