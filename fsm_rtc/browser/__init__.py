"""The client for browsers: an ES module that speaks docs/protocol.md, and a page to call with. See docs/browser.md."""

from fsm_rtc.browser.assets import Asset, assets

__all__ = ["Asset", "assets"]
