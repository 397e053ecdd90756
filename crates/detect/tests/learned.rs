//! What was learned still fits what computes: small draws from the generators of the examples, with seeds of their own.
//!
//! The tables of docs/benchmarks.md are the measure; this notices when a statistic, a feature or a table changes without
//! the others.

#[path = "../examples/names/families.rs"]
#[allow(dead_code, reason = "the families of words are measured by the example alone")]
mod families;
#[path = "../examples/beacon/generator.rs"]
#[allow(dead_code, reason = "the example prints tables by what these name")]
mod generator;
#[path = "../examples/support/random.rs"]
mod random;

use detect::analytic::beacon::Beacon;
use detect::analytic::generated_name::{GENERATED, probability};
use random::Random;

/// Far from the seeds of training and of the example's test.
const SEED: u64 = 1 << 50;
/// Where one in a hundred of what does not sleep is above, as the example found.
const ONE_PERCENT: f64 = 0.22;

fn score(events: &generator::Events) -> f64 {
    let mut beacon = Beacon::new();
    for (at, out, back) in events {
        beacon.add((at * 1e9) as u64, *out, *back);
    }
    beacon.score().map_or(0.0, |score| score.probability)
}

#[test]
fn sleepers_are_beacons_and_others_are_not() {
    let sleepers = (SEED..SEED + 1_000).filter(|seed| {
        let mut random = Random::new(*seed);
        let sleeper = generator::Sleeper::draw(&mut random);
        score(&sleeper.events(&mut random)) > ONE_PERCENT
    });
    let others = (SEED..SEED + 1_500).filter(|seed| {
        score(&generator::other((seed % 3) as usize, &mut Random::new(seed + (1 << 40)))) > ONE_PERCENT
    });
    let (found, wrong) = (sleepers.count(), others.count());
    assert!(found >= 970, "{found} of 1000 found");
    assert!(wrong <= 30, "{wrong} of 1500 wrong");
}

#[test]
fn names_of_drawing_families_look_generated() {
    let families = families::FAMILIES.iter().filter(|family| family.is_known() && !family.is_words());
    let mut random = Random::new(SEED);
    let (mut names, mut found) = (0, 0);
    for family in families {
        for _ in 0..50 {
            let (label, suffix) = family.draw(&[], &mut random);
            names += 1;
            found += usize::from(probability(&format!("{label}.{suffix}")).is_some_and(|p| p >= GENERATED));
        }
    }
    assert!(found * 10 >= names * 8, "{found} of {names} found");
}

#[test]
fn names_that_services_use_do_not_look_generated() {
    let names = [
        "auth.docker.io",
        "registry-1.docker.io",
        "production.cloudflare.docker.com",
        "ghcr.io",
        "quay.io",
        "gcr.io",
        "registry.k8s.io",
        "pypi.org",
        "files.pythonhosted.org",
        "registry.npmjs.org",
        "static.crates.io",
        "index.crates.io",
        "proxy.golang.org",
        "sum.golang.org",
        "repo.maven.apache.org",
        "rubygems.org",
        "deb.debian.org",
        "security.debian.org",
        "archive.ubuntu.com",
        "dl-cdn.alpinelinux.org",
        "mirrors.fedoraproject.org",
        "github.com",
        "raw.githubusercontent.com",
        "gitlab.com",
        "bitbucket.org",
        "storage.googleapis.com",
        "s3.amazonaws.com",
        "login.microsoftonline.com",
        "api.telegram.org",
        "hooks.slack.com",
        "sentry.io",
        "api.datadoghq.com",
        "collector.newrelic.com",
        "ntp.ubuntu.com",
        "pool.ntp.org",
        "letsencrypt.org",
        "acme-v02.api.letsencrypt.org",
        "ocsp.digicert.com",
        "grafana.com",
        "prometheus.io",
        "elastic.co",
        "hashicorp.com",
        "mongodb.com",
        "stripe.com",
        "api.openai.com",
        "huggingface.co",
        "wikipedia.org",
    ];
    let wrong: Vec<&str> =
        names.into_iter().filter(|name| probability(name).is_some_and(|p| p >= GENERATED)).collect();
    assert!(wrong.len() <= 1, "{wrong:?}");
}
