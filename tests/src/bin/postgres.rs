//! Holds the Postgres server of the tests: prints its URL, and ends with its standard input.

fn main() {
    match etlgen_testkit::postgres::server() {
        Ok(server) => {
            let user = etlgen_testkit::postgres::USER;
            let (password, port) = (&server.password, server.port);
            println!("postgres://{user}:{password}@127.0.0.1:{port}/postgres");
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        }
        Err(error) => {
            eprintln!("error: {error}");
            std::process::exit(1);
        }
    }
}
