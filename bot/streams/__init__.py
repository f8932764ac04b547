"""Events out of Redis streams that an upstream system writes, shared by all hubs of one consumer group."""
