//! `vesta shop`: something with business metrics to watch. It serves requests, some of them slowly,
//! some of them badly, and has customers of its own.

mod customers;
mod weather;

use std::{process::ExitCode, sync::Arc, time::Duration};

use axum::{Router, http::StatusCode, routing::get};
use runtime::Runtime;
use telemetry::{Counter, Gauge, Histogram, Registry, Vector};

use crate::{commands, exporter};
use weather::{PATHS, Weather};

const LATENCY_BOUNDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// The shop and its books.
struct Shop {
    runtime: Runtime,
    weather: Weather,
    requests: Vector<Counter, 3>,
    durations: Vector<Histogram, 1>,
    in_flight: Gauge,
}

impl Shop {
    fn new(runtime: Runtime, registry: &Registry) -> Arc<Shop> {
        let weather = Weather { opened: runtime.clock.monotonic() };
        Arc::new(Shop {
            weather,
            requests: registry.counters(
                "shop_requests_total",
                "Requests by path, method and status code.",
                ["path", "method", "code"],
            ),
            durations: registry.histograms(
                "shop_request_duration_seconds",
                "How long requests took.",
                ["path"],
                &LATENCY_BOUNDS,
            ),
            in_flight: registry.gauge("shop_requests_in_flight", "Requests being served."),
            runtime,
        })
    }

    /// Serves a request for one of [`PATHS`]; gives the status code.
    async fn serve(&self, path: &'static str) -> u16 {
        self.in_flight.add(1.0);
        let started = self.runtime.clock.monotonic();
        let dice = || self.runtime.random.fraction();
        let (code, latency) = self.weather.outcome(path, started, dice(), dice());
        self.runtime.clock.sleep(latency).await;
        let took = self.runtime.clock.monotonic().saturating_sub(started);
        self.requests.with([path, "GET", &code.to_string()]).increment();
        self.durations.with([path]).observe_duration(took);
        self.in_flight.add(-1.0);
        code
    }
}

/// How long customers wait between two requests: about 20 requests a second in all.
const BETWEEN_REQUESTS: Duration = Duration::from_millis(50);

/// Serves a shop with metrics at `/metrics`, and sends it customers.
#[derive(clap::Parser)]
#[command(name = "shop")]
struct Arguments {
    /// Address to listen on.
    #[arg(long = "web.listen-address", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen_address: String,
}

pub(crate) fn main(args: &[String]) -> ExitCode {
    let arguments = match commands::parse::<Arguments>("vesta shop", args) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let address = arguments.listen_address;
    exporter::main(std::slice::from_ref(&address), |runtime, registry| {
        let shop = Shop::new(runtime.clone(), registry);
        // They leave when the process ends: nothing is lost with them.
        drop(tokio::spawn(customers::visit(runtime, address.clone())));
        router(shop)
    })
}

fn router(shop: Arc<Shop>) -> Router {
    let mut router = Router::new();
    for path in PATHS {
        let shop = shop.clone();
        let serve = move || async move {
            match shop.serve(path).await {
                200 => (StatusCode::OK, "thank you\n"),
                _ => (StatusCode::INTERNAL_SERVER_ERROR, "the till is jammed\n"),
            }
        };
        router = router.route(path, get(serve));
    }
    router
}
