"""Where events come from: one package a backend, imported only when asked for (see `registry`)."""
