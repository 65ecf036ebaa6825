//! Which cycles there are: of each knot the gravest kind, of that the shortest.

use std::collections::VecDeque;

use super::components::components;
use super::graph::Graph;
use super::graph::kinds::{RT, RW, WR, WW};
use super::{Class, Cycle, Dependency};

/// Edges that are looked at for the shortest cycle of one component.
const WORK: usize = 20_000_000;

/// A kind of cycle: one edge of `first`, all others of `rest`.
///
/// They are tried in order, so that a cycle of one kind is found only where
/// none of the kinds before it is: one edge rw and then any, where there is no
/// G-single, is a cycle of several edges rw.
struct Level {
    class: Class,
    first: u8,
    rest: u8,
}

const LEVELS: [Level; 4] = [
    Level { class: Class::G0, first: WW, rest: WW },
    Level { class: Class::G1c, first: WR, rest: WW | WR },
    Level { class: Class::GSingle, first: RW, rest: WW | WR },
    Level { class: Class::G2, first: RW, rest: WW | WR | RW },
];

pub(super) fn cycles(graph: &Graph) -> Vec<Cycle> {
    let knots = components(graph, WW | WR | RW | RT);
    let mut knot_of = vec![None; graph.transactions()];
    for (knot, transactions) in knots.iter().enumerate() {
        for transaction in transactions {
            knot_of[*transaction] = Some(knot);
        }
    }
    let mut done = vec![false; knots.len()];
    let mut cycles = Vec::new();
    let mut paths = Paths::new(graph);
    for realtime in [0, RT] {
        for level in &LEVELS {
            let rest = level.rest | realtime;
            let mut found = Vec::new();
            for component in components(graph, level.first | rest) {
                let Some(knot) = component.first().and_then(|first| knot_of[*first]) else {
                    continue;
                };
                if !done[knot]
                    && let Some(steps) = paths.shortest(&component, level.first, rest)
                {
                    found.push(knot);
                    let realtime = steps.iter().any(|step| step.kind.bit() == RT);
                    cycles.push(Cycle { class: level.class, realtime, steps });
                }
            }
            for knot in found {
                done[knot] = true;
            }
        }
    }
    cycles
}

/// Shortest paths inside of a component.
struct Paths<'a> {
    graph: &'a Graph,
    /// Which component a transaction was last in, by a number for each.
    inside: Vec<usize>,
    /// In which search a transaction was last reached, and by which edge.
    reached: Vec<(usize, Option<Dependency>)>,
    components: usize,
    searches: usize,
}

impl<'a> Paths<'a> {
    fn new(graph: &'a Graph) -> Self {
        let size = graph.transactions();
        let (inside, reached) = (vec![0; size], vec![(0, None); size]);
        Self { graph, inside, reached, components: 0, searches: 0 }
    }

    /// The shortest cycle in `component` of one edge of `first` and others of
    /// `rest`, as far as the work allows.
    fn shortest(&mut self, component: &[usize], first: u8, rest: u8) -> Option<Vec<Dependency>> {
        self.components += 1;
        for transaction in component {
            self.inside[*transaction] = self.components;
        }
        let graph = self.graph;
        let mut work = WORK;
        let mut shortest: Option<Vec<Dependency>> = None;
        let edges = component.iter().flat_map(|transaction| graph.after(*transaction));
        for edge in edges.filter(|edge| edge.kind.bit() & first != 0) {
            let longest = shortest.as_ref().map_or(usize::MAX, Vec::len);
            // No cycle has fewer edges than two.
            if longest <= 2 || work == 0 {
                break;
            }
            if self.inside[edge.to] == self.components
                && let Some(path) = self.path(edge.to, edge.from, rest, &mut work)
                && path.len() + 1 < longest
            {
                shortest = Some(std::iter::once(*edge).chain(path).collect());
            }
        }
        shortest
    }

    fn path(
        &mut self,
        from: usize,
        to: usize,
        kinds: u8,
        work: &mut usize,
    ) -> Option<Vec<Dependency>> {
        self.searches += 1;
        self.reached[from] = (self.searches, None);
        let mut queue = VecDeque::from([from]);
        while let Some(node) = queue.pop_front() {
            for edge in self.graph.after(node) {
                *work = work.checked_sub(1)?;
                let new = self.reached[edge.to].0 != self.searches;
                let inside = self.inside[edge.to] == self.components;
                if !(new && inside && edge.kind.bit() & kinds != 0) {
                    continue;
                }
                self.reached[edge.to] = (self.searches, Some(*edge));
                if edge.to == to {
                    return Some(self.way(to));
                }
                queue.push_back(edge.to);
            }
        }
        None
    }

    fn way(&self, to: usize) -> Vec<Dependency> {
        let mut way = Vec::new();
        let mut node = to;
        while let (_, Some(edge)) = self.reached[node] {
            way.push(edge);
            node = edge.from;
        }
        way.reverse();
        way
    }
}
