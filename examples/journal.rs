//! A state machine of your own, shared by any number of writers on any store.
//!
//! `cargo run --example journal` sells the last 100 tickets through 8 writers
//! that know nothing of each other, in a local folder; give it a URL to do the
//! same elsewhere. Nobody buys a ticket twice, and none is left over.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use ifmatch::ConditionalBlobStore;
use ifmatch::journal::{
    CommitError, Damage, Decision, Freshness, Journal, Kind, Machine, Options, Position,
};

const TICKETS: u32 = 100;
const WRITERS: u32 = 8;

/// Tickets that are sold one by one.
#[derive(Debug)]
struct Tickets;

/// Who bought which; shared between copies, for a state is cloned often.
type Sold = Arc<BTreeMap<u32, String>>;

impl Machine for Tickets {
    type State = Sold;
    type Command = String;
    type Reply = u32;
    type Rejection = SoldOut;

    fn kind(&self) -> Kind {
        Kind::Other("tickets")
    }

    fn empty(&self) -> Sold {
        Sold::default()
    }

    fn decide(&self, sold: &Sold, buyer: &String, _: Position) -> Decision<u32, SoldOut> {
        match u32::try_from(sold.len()) {
            Ok(ticket) if ticket < TICKETS => {
                Decision::Write { entry: buyer.clone().into(), reply: ticket }
            }
            _ => Decision::Reject(SoldOut),
        }
    }

    fn apply(&self, sold: &mut Sold, entry: &bytes::Bytes, _: Position) -> Result<(), Damage> {
        let buyer = std::str::from_utf8(entry).map_err(|_| Damage::new("a buyer is no text"))?;
        let ticket = u32::try_from(sold.len()).map_err(|_| Damage::new("too many tickets"))?;
        Arc::make_mut(sold).insert(ticket, buyer.to_owned());
        Ok(())
    }

    fn parts<'a>(&'a self, sold: &'a Sold) -> Box<dyn Iterator<Item = bytes::Bytes> + Send + 'a> {
        let buyers: Vec<_> = sold.values().map(String::as_str).collect();
        Box::new(std::iter::once(buyers.join("\n").into()))
    }

    fn restore(&self, parts: &[bytes::Bytes]) -> Result<Sold, Damage> {
        let whole = parts.concat();
        let text = std::str::from_utf8(&whole).map_err(|_| Damage::new("no text"))?;
        Ok(Arc::new((0..).zip(text.lines().map(str::to_owned)).collect()))
    }
}

/// All tickets are sold.
#[derive(Debug)]
struct SoldOut;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let url = std::env::args().nth(1);
    let url = url.unwrap_or_else(|| format!("file://{}", folder.path().display()));
    let store: Arc<dyn ConditionalBlobStore> = ifmatch::open(&url)?;
    let writers = (0..WRITERS).map(|writer| buy(Arc::clone(&store), writer));
    let bought: Vec<u32> =
        futures::future::try_join_all(writers).await?.into_iter().flatten().collect();

    let journal = Journal::open(store, Tickets, Options::open()).await?;
    let sold = journal.read(Freshness::Strong).await?;
    println!("{} tickets sold in {} commits: {sold:?}", sold.state().len(), sold.seq());
    let mut numbers = bought;
    numbers.sort_unstable();
    if numbers != (0..TICKETS).collect::<Vec<_>>() {
        return Err(format!("a ticket was sold twice or not at all: {numbers:?}").into());
    }
    Ok(())
}

/// Buys until nothing is left.
async fn buy(
    store: Arc<dyn ConditionalBlobStore>,
    writer: u32,
) -> Result<Vec<u32>, ifmatch::journal::Error> {
    let journal = Journal::open(store, Tickets, Options::create()).await?;
    let mut bought = Vec::new();
    loop {
        match journal.commit(format!("writer {writer}")).await {
            Ok(committed) => bought.push(committed.reply),
            Err(CommitError::Rejected(SoldOut)) => break,
            Err(CommitError::Failed(error)) => return Err(error),
            Err(other) => unreachable!("{other:?}"),
        }
    }
    println!("writer {writer} bought {} tickets: {:?}", bought.len(), journal.totals());
    Ok(bought)
}
