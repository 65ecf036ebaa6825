//! Strongly connected components, by Tarjan's algorithm without recursion.

use super::graph::Graph;

const NEW: usize = usize::MAX;

/// The components of more than one transaction over dependencies of `kinds`.
pub(super) fn components(graph: &Graph, kinds: u8) -> Vec<Vec<usize>> {
    let size = graph.transactions();
    let mut tarjan = Tarjan {
        graph,
        kinds,
        index: vec![NEW; size],
        low: vec![0; size],
        on_stack: vec![false; size],
        stack: Vec::new(),
        indexed: 0,
        found: Vec::new(),
    };
    for root in 0..size {
        if tarjan.index[root] == NEW {
            tarjan.visit(root);
        }
    }
    tarjan.found
}

struct Tarjan<'a> {
    graph: &'a Graph,
    kinds: u8,
    index: Vec<usize>,
    low: Vec<usize>,
    on_stack: Vec<bool>,
    stack: Vec<usize>,
    indexed: usize,
    found: Vec<Vec<usize>>,
}

impl Tarjan<'_> {
    fn visit(&mut self, root: usize) {
        // The path walked, each with the number of edges done.
        let mut path = vec![(root, 0)];
        self.enter(root);
        while let Some((node, done)) = path.last_mut() {
            let node = *node;
            if let Some(edge) = self.graph.after(node).get(*done) {
                *done += 1;
                if edge.kind.bit() & self.kinds == 0 {
                    continue;
                }
                if self.index[edge.to] == NEW {
                    self.enter(edge.to);
                    path.push((edge.to, 0));
                } else if self.on_stack[edge.to] {
                    self.low[node] = self.low[node].min(self.index[edge.to]);
                }
            } else {
                path.pop();
                if let Some((parent, _)) = path.last() {
                    self.low[*parent] = self.low[*parent].min(self.low[node]);
                }
                if self.low[node] == self.index[node] {
                    self.leave(node);
                }
            }
        }
    }

    fn enter(&mut self, node: usize) {
        self.index[node] = self.indexed;
        self.low[node] = self.indexed;
        self.indexed += 1;
        self.on_stack[node] = true;
        self.stack.push(node);
    }

    /// Takes the component of which `root` was entered first off the stack.
    fn leave(&mut self, root: usize) {
        let from = self.stack.iter().rposition(|node| *node == root).unwrap_or_default();
        let mut component = self.stack.split_off(from);
        for node in &component {
            self.on_stack[*node] = false;
        }
        if component.len() > 1 {
            component.sort_unstable();
            self.found.push(component);
        }
    }
}
