//! Everything that can happen next.

use ifmatch_journal::Outcome;

use super::chain::{Chain, HeadAt};
use super::judge::{Adoption, Judge};
use super::search::Bounds;
use super::world::{Told, Violation, WRITERS, World};

/// One step and the state after it; an error is a promise broken by the step
/// itself.
pub(super) type Next = (String, Result<World, Violation>);

pub(super) fn steps(world: &World, chain: &mut Chain, judge: Judge, bounds: &Bounds) -> Vec<Next> {
    let mut next = Vec::new();
    deliveries(world, chain, &mut next);
    for writer in 0..WRITERS {
        match world.writers[writer].sent {
            None => {
                send(world, chain, writer, bounds, &mut next);
                refreshes(world, chain, writer, judge, &mut next);
            }
            Some(sent) => settle(world, chain, writer, sent, judge, &mut next),
        }
    }
    resolves(world, chain, judge, &mut next);
    if bounds.rewind
        && !world.rewound
        && let Some(base) = chain.base(world.now)
    {
        let mut after = world.clone();
        (after.now, after.rewound) = (base, true);
        next.push(("an operator puts the head before back".to_owned(), Ok(after)));
    }
    next
}

/// A request arrives: now, late, or again. It is applied if its base is still
/// what the store holds.
fn deliveries(world: &World, chain: &Chain, next: &mut Vec<Next>) {
    for sent in &world.sent {
        if chain.base(*sent) != Some(world.now) {
            continue; // Rejected: nothing changes, and no answer is a verdict.
        }
        let mut after = world.clone();
        after.now = *sent;
        next.push((format!("{sent} arrives and is applied"), Ok(after.clone())));
        // The answer may arrive with it.
        for writer in (0..WRITERS).filter(|writer| world.writers[*writer].sent == Some(*sent)) {
            let mut answered = after.clone();
            committed(&mut answered, writer, *sent, *sent);
            next.push((format!("{sent} is applied and {writer} hears it"), Ok(answered)));
        }
    }
}

fn send(world: &World, chain: &mut Chain, writer: usize, bounds: &Bounds, next: &mut Vec<Next>) {
    let state = &world.writers[writer];
    if state.turn >= bounds.transactions || state.attempt >= bounds.attempts {
        return;
    }
    let body = chain.on(state.base, world.body(writer));
    let mut after = world.clone();
    after.sent.insert(body);
    after.writers[writer].sent = Some(body);
    next.push((format!("{writer} sends {body}"), Ok(after)));
}

/// No answer came, or one that is no verdict: the writer reads the head, which
/// may be any that the store ever held.
fn settle(
    world: &World,
    chain: &Chain,
    writer: usize,
    sent: HeadAt,
    judge: Judge,
    next: &mut Vec<Next>,
) {
    if judge == Judge::SilenceIsNever {
        let mut after = world.clone();
        again(&mut after, writer, sent);
        next.push((format!("{writer} hears nothing of {sent}"), Ok(after)));
        return;
    }
    let mut seen = Some(world.now);
    while let Some(read) = seen {
        seen = chain.base(read);
        let what = format!("{writer} reads {read} about {sent}");
        let mut after = world.clone();
        match told(chain, sent, read, judge) {
            Some(Told::Committed) => match adopt(&after, chain, writer, read, judge) {
                Some(Ok(mut after)) => {
                    let base = after.writers[writer].base;
                    committed(&mut after, writer, sent, base);
                    next.push((what, Ok(after)));
                }
                Some(broken) => next.push((what, broken)),
                None => {}
            },
            Some(Told::Never) => {
                again(&mut after, writer, sent);
                let moved = adopt(&after, chain, writer, read, judge);
                next.push((what, moved.unwrap_or(Ok(after))));
            }
            // Sent again, or read again: what is under way stays under way.
            None => {}
        }
    }
    // The deadline: the caller is told that the outcome is unknown, and the
    // change rides in no other commit.
    let mut after = world.clone();
    after.unknown.insert(sent);
    let state = &mut after.writers[writer];
    (state.sent, state.attempt) = (None, 0);
    state.turn += 1;
    next.push((format!("{writer} gives up on {sent}"), Ok(after)));
}

/// What a head says about a commit; segments and history answer where the head
/// itself reaches back no further.
fn told(chain: &Chain, sent: HeadAt, read: HeadAt, judge: Judge) -> Option<Told> {
    match judge.outcome(chain.head(sent).commit(), chain.head(read)) {
        Outcome::Committed => Some(Told::Committed),
        Outcome::Beyond if chain.descends(read, sent) => Some(Told::Committed),
        Outcome::Never | Outcome::Beyond => Some(Told::Never),
        _ => None,
    }
}

/// Somebody asks later what became of a commit, and reads any head.
fn resolves(world: &World, chain: &Chain, judge: Judge, next: &mut Vec<Next>) {
    for sent in &world.unknown {
        let mut seen = Some(world.now);
        while let Some(read) = seen {
            seen = chain.base(read);
            if let Some(told) = told(chain, *sent, read, judge) {
                let mut after = world.clone();
                after.unknown.remove(sent);
                after.told.insert((*sent, told));
                next.push((format!("{sent} is resolved by {read}"), Ok(after)));
            }
        }
    }
}

/// A reader looks for news, and reads any head.
fn refreshes(world: &World, chain: &Chain, writer: usize, judge: Judge, next: &mut Vec<Next>) {
    let mut seen = Some(world.now);
    while let Some(read) = seen {
        seen = chain.base(read);
        if read != world.writers[writer].base
            && let Some(after) = adopt(world, chain, writer, read, judge)
        {
            next.push((format!("{writer} looks and reads {read}"), after));
        }
    }
}

/// The writer's state moves to the head it read, if that may be adopted.
fn adopt(
    world: &World,
    chain: &Chain,
    writer: usize,
    read: HeadAt,
    judge: Judge,
) -> Option<Result<World, Violation>> {
    let base = world.writers[writer].base;
    let adoption = judge.adopts(chain.head(base).commit(), chain.head(read))?;
    // A session never goes back, and never goes on from another branch.
    if adoption == Adoption::GoesOn && !chain.descends(read, base) {
        return Some(Err(Violation::Diverged));
    }
    let mut after = world.clone();
    after.writers[writer].base = read;
    Some(Ok(after))
}

fn committed(world: &mut World, writer: usize, sent: HeadAt, base: HeadAt) {
    world.told.insert((sent, Told::Committed));
    let state = &mut world.writers[writer];
    (state.base, state.sent) = (base, None);
    state.turn += 1;
    state.attempt = 0;
}

/// The attempt is given up for good; the same change is made again under a new
/// id.
fn again(world: &mut World, writer: usize, sent: HeadAt) {
    world.told.insert((sent, Told::Never));
    let state = &mut world.writers[writer];
    state.sent = None;
    state.attempt += 1;
}
