"""Several hubs on one store: killed, paused, failed over."""
