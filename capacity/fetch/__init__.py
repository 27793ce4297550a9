"""Date range to frame: windows, requests, the store, the plan that ties them."""
