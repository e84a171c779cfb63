"""`python -m fsm_rtc.cli` is `fsm-rtc`."""

from fsm_rtc.cli.entry import main

main()
