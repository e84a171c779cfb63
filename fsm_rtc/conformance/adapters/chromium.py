"""The adapter of Chromium: ``python -m fsm_rtc.conformance.adapters.chromium``, with the browser that is installed.

Without a name in FSM_RTC_CHROMIUM the first of `PROGRAMS` on the PATH is taken. It runs headless, in a fresh profile,
asks nobody for a camera, and gathers addresses as they are, 127.0.0.1 too.
"""

from __future__ import annotations

from pathlib import Path

from fsm_rtc.conformance.adapters.browser import Browser, serve

__all__ = ["CHROMIUM"]

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-breakpad",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--allow-loopback-in-peer-connection",
    "--js-flags=--expose-gc",
    "--log-level=3",
)


def arguments(url: str, profile: Path) -> list[str]:
    return [*FLAGS, f"--user-data-dir={profile}", url]


CHROMIUM = Browser("chromium", "FSM_RTC_CHROMIUM", PROGRAMS, arguments)

if __name__ == "__main__":
    serve(CHROMIUM)
