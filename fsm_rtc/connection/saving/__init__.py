"""Where a call is kept, so that another run of its program goes on with it."""
