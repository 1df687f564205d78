//! Extraction: the fewest statements that compute the outputs of a saturated e-graph.
//!
//! Invariant: the terms chosen have no cycle, and a class that is read several times counts once:
//! the cost is that of the graph, not of its trees. Finding the optimum is NP-hard, so the choice
//! is greedy (every class by the least set of classes it needs) and then improved one class at a
//! time over all outputs together, until no single change helps. Ties go to the term that comes
//! first, so the choice never depends on an accident of memory.

use egg::{Id, Language};

use super::cost::{Cost, cost_of, strangeness};
use super::saturate::Saturated;
use super::term::Term;
use crate::canonical::role_of;
use crate::{Op, Role, Value};

/// A term with its arguments as places in the list of classes.
struct Choice {
    term: Term,
    args: Vec<usize>,
    cost: u64,
}

/// The classes of an e-graph as a dense list.
struct Classes {
    ids: Vec<Id>,
    choices: Vec<Vec<Choice>>,
    /// For each class its choice.
    chosen: Vec<Option<usize>>,
    update: usize,
    /// The class of each state slot's next value.
    states: Vec<Option<usize>>,
    /// Where it is not the update's.
    readout: Option<usize>,
}

/// One statement of the result.
pub(super) struct Step {
    pub(super) op: Op,
    pub(super) args: [Value; 3],
    /// The class it computes.
    pub(super) class: Id,
    pub(super) term: Term,
}

/// The statements that compute the outputs, each after those it reads.
pub(super) struct Extracted {
    pub(super) steps: Vec<Step>,
    /// The update, each state slot, and the readout if there is one.
    pub(super) outputs: Vec<Option<Value>>,
}

impl Extracted {
    /// Rounds constants that are not the program's own to so many digits that no one will miss any:
    /// 0.9 * 1.1 is 0.9900000000000001 in float64, and 0.99 to a reader.
    pub(super) fn round_constants(&mut self, own: &[f64]) {
        for step in &mut self.steps {
            for value in &mut step.args[..step.op.arity()] {
                if let Value::Constant(constant) = value
                    && !own.contains(constant)
                {
                    let rounded = format!("{constant:.11e}").parse();
                    *constant = rounded.expect("a number in print is a number");
                }
            }
        }
    }
}

/// Chooses the terms that compute the outputs, for so many state slots.
pub(super) fn extract(saturated: &Saturated, states: usize) -> Extracted {
    let mut classes = Classes::of(saturated, states);
    classes.choose_greedily();
    classes.improve();
    classes.written_down(saturated)
}

impl Classes {
    fn of(saturated: &Saturated, states: usize) -> Classes {
        let Saturated { graph, outputs, nodes, .. } = saturated;
        let mut ids: Vec<Id> = graph.classes().map(|class| class.id).collect();
        ids.sort_unstable();
        let place = |id: Id| ids.binary_search(&graph.find(id)).expect("all classes are listed");
        let canonical = |term: &Term| term.map_children(|id| graph.find(id));
        let mut own: Vec<Term> = Vec::new();
        for node in nodes {
            let term = graph.id_to_node(*node);
            own.push(canonical(term));
            own.extend(term.children().iter().map(|child| canonical(graph.id_to_node(*child))));
        }
        own.sort_unstable();
        let choices = ids.iter().map(|&id| {
            let mut terms: Vec<Term> = graph[id].nodes.iter().map(canonical).collect();
            terms.sort_unstable();
            terms.dedup();
            let choices = terms.into_iter().map(|term| Choice {
                args: term.children().iter().map(|id| place(*id)).collect(),
                cost: match own.binary_search(&term) {
                    Ok(_) => cost_of(&term),
                    Err(_) => cost_of(&term) + strangeness(&term, graph),
                },
                term,
            });
            choices.collect()
        });
        let choices: Vec<Vec<Choice>> = choices.collect();
        let (chosen, places) = (vec![None; choices.len()], outputs.iter().map(|id| id.map(place)));
        let mut places = places;
        let update = places.next().flatten().expect("the update is never dead");
        let states = places.by_ref().take(states).collect();
        let readout = places.next().flatten().filter(|readout| *readout != update);
        Classes { ids, choices, chosen, update, states, readout }
    }

    /// Gives every class the term that needs the cheapest set of classes.
    fn choose_greedily(&mut self) {
        let words = self.choices.len().div_ceil(64);
        let mut needs = vec![0u64; self.choices.len() * words];
        let mut costs: Vec<Option<u64>> = vec![None; self.choices.len()];
        let mut own = vec![0; self.choices.len()];
        let mut set = vec![0u64; words];
        loop {
            let mut changed = false;
            for class in 0..self.choices.len() {
                for (index, choice) in self.choices[class].iter().enumerate() {
                    let Some(least) = choice
                        .args
                        .iter()
                        .try_fold(0, |least: u64, arg| costs[*arg].map(|cost| least.max(cost)))
                    else {
                        continue;
                    };
                    set.fill(0);
                    for arg in &choice.args {
                        let needed = &needs[arg * words..][..words];
                        set.iter_mut().zip(needed).for_each(|(set, needed)| *set |= needed);
                    }
                    // At least what each argument was found to cost: a term is then always dearer
                    // than its arguments, which rules out cycles.
                    let cost = choice.cost + sum(&set, &own).max(least);
                    if costs[class].is_none_or(|known| cost < known) {
                        set[class / 64] |= 1 << (class % 64);
                        needs[class * words..][..words].copy_from_slice(&set);
                        (costs[class], own[class]) = (Some(cost), choice.cost);
                        self.chosen[class] = Some(index);
                        changed = true;
                    }
                }
            }
            if !changed {
                return;
            }
        }
    }

    /// Changes the choice of one class at a time as long as the whole gets cheaper.
    fn improve(&mut self) {
        let mut scratch = Walk::new(self.choices.len());
        let mut best = self.total(&mut scratch).expect("greedy choices have no cycle");
        loop {
            let before = best;
            for class in scratch.order.clone() {
                for index in 0..self.choices[class].len() {
                    let known = self.chosen[class];
                    let args = &self.choices[class][index].args;
                    if known == Some(index) || args.iter().any(|arg| self.chosen[*arg].is_none()) {
                        continue;
                    }
                    self.chosen[class] = Some(index);
                    match self.total(&mut scratch) {
                        Some(total) if total < best => best = total,
                        _ => self.chosen[class] = known,
                    }
                }
            }
            self.total(&mut scratch).expect("the best choice has no cycle");
            if best == before {
                return;
            }
        }
    }

    /// The cost of everything that update and readout need, over all steps; `None` where the choices run in a
    /// circle.
    fn total(&self, walk: &mut Walk) -> Option<Cost> {
        walk.reset();
        let mut total = 0;
        let mut roots: Vec<usize> = self.readout.into_iter().chain([self.update]).collect();
        let mut read = [false; crate::Signature::MAX_STATES];
        while let Some(root) = roots.pop() {
            if self.choice(root).args.is_empty()
                && matches!(self.choice(root).term, Term::Constant(_))
                && walk.state[root] == Mark::New
            {
                // A program returns variables, so the constant needs a statement.
                total += Cost::STATEMENT + Cost::WORK;
            }
            walk.pending.push((root, false));
            while let Some((class, ready)) = walk.pending.pop() {
                if ready {
                    walk.state[class] = Mark::Done;
                    walk.order.push(class);
                    continue;
                }
                match walk.state[class] {
                    Mark::Done => continue,
                    Mark::Open => return None,
                    Mark::New => {}
                }
                walk.state[class] = Mark::Open;
                walk.touched.push(class);
                let choice = self.choice(class);
                total += choice.cost;
                if let Term::Input(rank) = choice.term
                    && let Role::State(slot) = role_of(rank)
                    && !read[slot]
                {
                    read[slot] = true;
                    roots.push(self.states[slot].expect("a slot that is read is live"));
                }
                walk.pending.push((class, true));
                let args = choice.args.iter().rev();
                walk.pending.extend(
                    args.filter(|arg| walk.state[**arg] != Mark::Done).map(|arg| (*arg, false)),
                );
            }
        }
        Some(Cost(total))
    }

    fn choice(&self, class: usize) -> &Choice {
        &self.choices[class][self.chosen[class].expect("every class of a program can be computed")]
    }

    /// The chosen terms as statements. Statements stay in the order of the program as far as they
    /// were in it; others come as late as they can.
    fn written_down(&self, saturated: &Saturated) -> Extracted {
        let mut walk = Walk::new(self.choices.len());
        self.total(&mut walk).expect("the best choice has no cycle");
        let origin = self.origins(saturated);
        let mut priority = vec![0; self.choices.len()];
        for &class in &walk.order {
            let args = self.choice(class).args.iter().map(|arg| priority[*arg]);
            priority[class] = origin[class].unwrap_or_else(|| args.max().unwrap_or(0));
        }
        let mut steps: Vec<Step> = Vec::new();
        let mut place: Vec<Option<Value>> = vec![None; self.choices.len()];
        for &class in &walk.order {
            place[class] = match self.choice(class).term {
                Term::Input(rank) => Some(Value::Input(role_of(rank))),
                Term::Constant(bits) => Some(Value::Constant(f64::from_bits(bits))),
                Term::Apply(..) => None,
            };
        }
        let mut rest: Vec<usize> =
            walk.order.iter().copied().filter(|class| place[*class].is_none()).collect();
        while !rest.is_empty() {
            let ready =
                |class: &usize| self.choice(*class).args.iter().all(|arg| place[*arg].is_some());
            let next = (0..rest.len()).filter(|index| ready(&rest[*index]));
            let next = next.min_by_key(|index| (priority[rest[*index]], *index));
            let class = rest.remove(next.expect("chosen terms have no cycle"));
            let Choice { term, args, .. } = self.choice(class);
            let Term::Apply(op, _) = *term else { unreachable!("leaves have their place") };
            let mut values = [Value::Constant(0.0); 3];
            for (value, arg) in values.iter_mut().zip(args) {
                *value = place[*arg].expect("it is ready");
            }
            place[class] = Some(Value::Node(steps.len()));
            steps.push(Step { op, args: values, class: self.ids[class], term: *term });
        }
        let outputs = self.outputs(&walk, &place, &mut steps);
        Extracted { steps, outputs }
    }

    /// The first node of the program in each class.
    fn origins(&self, saturated: &Saturated) -> Vec<Option<usize>> {
        let mut origins = vec![None; self.ids.len()];
        for (node, id) in saturated.nodes.iter().enumerate().rev() {
            let class = self.ids.binary_search(&saturated.graph.find(*id));
            origins[class.expect("all classes are listed")] = Some(node);
        }
        origins
    }

    fn outputs(
        &self,
        walk: &Walk,
        place: &[Option<Value>],
        steps: &mut Vec<Step>,
    ) -> Vec<Option<Value>> {
        let read = |slot: usize| {
            let input = Term::Input(crate::canonical::role_rank(Role::State(slot)));
            walk.order.iter().any(|class| self.choice(*class).term == input)
        };
        let states = self.states.iter().enumerate();
        let states = states.map(|(slot, class)| class.filter(|_| read(slot)));
        let classes: Vec<Option<usize>> = std::iter::once(Some(self.update))
            .chain(states)
            .chain(self.readout.map(Some))
            .collect();
        let mut outputs: Vec<Option<Value>> = Vec::with_capacity(classes.len());
        for (output, &class) in classes.iter().enumerate() {
            let earlier = classes[..output].iter().position(|other| *other == class);
            let value = class.map(|class| (class, place[class].expect("outputs are computed")));
            outputs.push(match (value, earlier) {
                (Some((class, Value::Constant(constant))), None) => {
                    let args = [constant, 1.0, 0.0].map(Value::Constant);
                    let term = self.choice(class).term;
                    steps.push(Step { op: Op::Mul, args, class: self.ids[class], term });
                    Some(Value::Node(steps.len() - 1))
                }
                (Some((_, Value::Constant(_))), Some(earlier)) => outputs[earlier],
                (value, _) => value.map(|(_, value)| value),
            });
        }
        outputs
    }
}

/// The sum of the costs of a set of classes.
fn sum(set: &[u64], own: &[u64]) -> u64 {
    let mut total = 0;
    for (index, word) in set.iter().enumerate() {
        let mut word = *word;
        while word != 0 {
            total += own[64 * index + word.trailing_zeros() as usize];
            word &= word - 1;
        }
    }
    total
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    Open,
    Done,
}

/// The memory of a walk over the chosen terms.
struct Walk {
    state: Vec<Mark>,
    touched: Vec<usize>,
    pending: Vec<(usize, bool)>,
    /// The classes that are needed, each after its arguments.
    order: Vec<usize>,
}

impl Walk {
    fn new(classes: usize) -> Walk {
        let state = vec![Mark::New; classes];
        Walk { state, touched: Vec::new(), pending: Vec::new(), order: Vec::new() }
    }

    fn reset(&mut self) {
        for class in self.touched.drain(..) {
            self.state[class] = Mark::New;
        }
        self.pending.clear();
        self.order.clear();
    }
}
