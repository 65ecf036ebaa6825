//! What a campaign found, by shape and operation.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::judge::{Judged, Told};
use super::round::Round;
use super::{Action, LOST, Shape};
use crate::fixture::Cloud;

/// The least of one shape with one operation. On a busy machine a client with
/// little patience may give up before its request meets its fault.
const LEAST: usize = 300;

#[derive(Default)]
pub(super) struct Table {
    cells: BTreeMap<(Shape, Action), Cell>,
    wrong: Vec<String>,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    rounds: usize,
    faulted: usize,
    lost: usize,
    committed: usize,
    conflict: usize,
    unknown: usize,
    false_conflict: usize,
    silent_overwrite: usize,
}

impl Table {
    pub(super) fn add(&mut self, round: &Round, judged: &Judged) {
        let cell = self.cells.entry((round.shape, round.action)).or_default();
        cell.rounds += 1;
        cell.faulted += judged.faulted;
        cell.lost += judged.lost;
        match judged.told {
            Told::Committed => cell.committed += 1,
            Told::Conflict => cell.conflict += 1,
            Told::Unknown => cell.unknown += 1,
            Told::Else => {}
        }
        cell.false_conflict += usize::from(judged.false_conflict);
        cell.silent_overwrite += usize::from(judged.silent_overwrite);
        let lies = judged.false_conflict || judged.silent_overwrite;
        if let Some(wrong) = &judged.wrong {
            self.wrong.push(format!("{round:?}: {wrong}"));
        } else if lies {
            self.wrong.push(format!("{round:?}: {judged:?}"));
        }
    }

    /// The table, one line per shape and operation and one for all.
    pub(super) fn render(&self, cloud: Cloud) -> String {
        let mut text = format!("\n{cloud}: counted in the server's log\n");
        let _ = writeln!(
            text,
            "{:<28}{:<8}{:>7}{:>9}{:>8}{:>11}{:>10}{:>9}{:>16}{:>18}",
            "first attempt",
            "",
            "rounds",
            "faulted",
            "lost",
            "committed",
            "conflict",
            "unknown",
            "false conflict",
            "silent overwrite",
        );
        for ((shape, action), cell) in &self.cells {
            line(&mut text, shape.name(), action.name(), cell);
        }
        line(&mut text, "all", "", &self.total());
        text
    }

    /// Nothing false, and enough of it.
    pub(super) fn check(&self) {
        let total = self.total();
        let some: Vec<_> = self.wrong.iter().take(10).collect();
        assert!(self.wrong.is_empty(), "{} answers are not true: {some:#?}", self.wrong.len());
        assert_eq!((total.false_conflict, total.silent_overwrite), (0, 0));
        assert!(total.lost >= LOST, "{} lost answers", total.lost);
        assert_eq!(self.cells.len(), Shape::ALL.len() * Action::ALL.len());
        for ((shape, action), cell) in &self.cells {
            assert!(cell.faulted >= LEAST, "{shape:?} {action:?}: {} faults", cell.faulted);
        }
    }

    fn total(&self) -> Cell {
        self.cells.values().fold(Cell::default(), |sum, cell| Cell {
            rounds: sum.rounds + cell.rounds,
            faulted: sum.faulted + cell.faulted,
            lost: sum.lost + cell.lost,
            committed: sum.committed + cell.committed,
            conflict: sum.conflict + cell.conflict,
            unknown: sum.unknown + cell.unknown,
            false_conflict: sum.false_conflict + cell.false_conflict,
            silent_overwrite: sum.silent_overwrite + cell.silent_overwrite,
        })
    }
}

fn line(text: &mut String, shape: &str, action: &str, cell: &Cell) {
    let _ = writeln!(
        text,
        "{shape:<28}{action:<8}{:>7}{:>9}{:>8}{:>11}{:>10}{:>9}{:>16}{:>18}",
        cell.rounds,
        cell.faulted,
        cell.lost,
        cell.committed,
        cell.conflict,
        cell.unknown,
        cell.false_conflict,
        cell.silent_overwrite,
    );
}
