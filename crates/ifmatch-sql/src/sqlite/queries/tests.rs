//! Which statements find candidates, by SQLite's own account.

use ifmatch_core::{Env, Simulation};
use ifmatch_meta::query::field;
use ifmatch_meta::{Filter, Index, IndexName, Partition, Query, Scope};
use rusqlite::Connection;

use super::access::{Access, Wanted};
use crate::sqlite::schema;

fn database() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    let env: Env = Simulation::seeded(1).env();
    schema::prepare(&mut connection, true, &env).unwrap();
    connection
}

fn declare(connection: &Connection, name: &str, field: &str) {
    let index = Index { name: IndexName::new(name).unwrap(), field: field.parse().unwrap() };
    super::create(connection, &index).unwrap();
}

/// The plan of the statement that is chosen, as one text.
fn plan(connection: &Connection, scope: &Scope, query: &Query) -> String {
    let wanted =
        Wanted { scope, filter: &query.filter, sort: &query.sort, after: None, page: true };
    let access = Access::choose(connection, &wanted).unwrap();
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", access.sql)).unwrap();
    let rows = statement
        .query_map(rusqlite::params_from_iter(&access.values), |row| row.get::<_, String>(3));
    rows.unwrap().map(Result::unwrap).collect::<Vec<_>>().join("; ")
}

fn scopes() -> [Scope; 2] {
    [Scope::All, Scope::Partition(Partition::new("p").unwrap())]
}

#[test]
fn w18_a_condition_on_a_declared_index_searches_it() {
    let connection = database();
    let filters: [(&str, Filter); 12] = [
        ("/n", field("/n").eq(3)),
        ("/n", field("/n").eq(3.5)),
        ("/n", field("/n").gt(3)),
        ("/n", field("/n").gte(3) & field("/n").lt(9)),
        ("/s", field("/s").eq("x")),
        ("/s", field("/s").starts_with("x")),
        ("/s", field("/s").lte("x") & field("/t").gt(1)),
        ("/o/it's \"", field("/b").eq(true)),
        ("/l/0", field("/l/0").one_of([1, 2, 3])),
        ("/a/b c/é", field("/a/b c/é").eq("x") & !field("/z").exists()),
        ("@updated_at", field("@updated_at").gte("2026-01-01")),
        ("@updated_by", field("@updated_by").eq("me")),
    ];
    for (at, (path, filter)) in filters.into_iter().enumerate() {
        let name = format!("i{at}");
        if path.contains('"') {
            let index =
                Index { name: IndexName::new(&name).unwrap(), field: path.parse().unwrap() };
            let error = super::create(&connection, &index).unwrap_err();
            assert!(format!("{error:?}").contains("Unsupported"), "{error:?}");
            continue;
        }
        declare(&connection, &name, path);
        for scope in scopes() {
            for query in [Query::filter(filter.clone()), Query::filter(filter.clone()).sort("/x")] {
                let plan = plan(&connection, &scope, &query);
                let searched = format!("USING INDEX _ifmatch_index_{name} (");
                assert!(plan.contains(&searched), "{path} {scope:?}: {plan}");
                assert!(!plan.contains("SCAN"), "{path} {scope:?}: {plan}");
            }
        }
        super::drop(&connection, &IndexName::new(&name).unwrap()).unwrap();
    }
}

#[test]
fn w18_equal_values_come_in_order_without_a_sort() {
    let connection = database();
    declare(&connection, "s", "/s");
    declare(&connection, "n", "/n");
    for scope in scopes() {
        let plan = |filter| plan(&connection, &scope, &Query::filter(filter));
        assert!(!plan(field("/s").eq("x")).contains("TEMP B-TREE"));
        // Of numbers those that are hardly different are sorted, which are few.
        let numbers = plan(field("/n").eq(1));
        assert!(numbers.contains("MERGE (UNION ALL)"), "{numbers}");
        let first = numbers.split("RIGHT").next().unwrap();
        assert!(!first.contains("TEMP B-TREE"), "{numbers}");
    }
}

#[test]
fn without_an_index_a_partition_is_read_in_order() {
    let connection = database();
    let query = Query::filter(field("/s").eq("x"));
    for scope in scopes() {
        let plan = plan(&connection, &scope, &query);
        assert!(plan.contains("sqlite_autoindex_documents_1"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
}

#[test]
fn a_declared_index_that_another_tool_dropped_is_done_without() {
    let connection = database();
    declare(&connection, "s", "/s");
    connection.execute_batch("DROP INDEX _ifmatch_index_s").unwrap();
    let query = Query::filter(field("/s").eq("x"));
    assert!(!plan(&connection, &Scope::All, &query).contains("_ifmatch_index_s"));
    declare(&connection, "s", "/s");
    assert!(plan(&connection, &Scope::All, &query).contains("_ifmatch_index_s"));
}

#[test]
fn s15_the_newest_are_read_from_the_end_of_an_index() {
    let connection = database();
    declare(&connection, "at", "@updated_at");
    declare(&connection, "n", "/n");
    for scope in scopes() {
        let plan = |query| plan(&connection, &scope, &query);
        for query in [
            Query::default().sort("-@updated_at"),
            Query::filter(field("/s").eq("x")).sort("@updated_at"),
            Query::filter(field("/n").gt(3)).sort("-/n"),
        ] {
            let plan = plan(query);
            assert!(plan.contains("USING INDEX _ifmatch_index_"), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
        // Values of every type have another order than the index.
        assert!(!plan(Query::default().sort("/n")).contains("_ifmatch_index_"));
    }
    let p = &scopes()[1];
    let plan = plan(&connection, p, &Query::default().sort("-@id"));
    assert!(plan.contains("sqlite_autoindex_documents_1"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}
