"""Where residents are logged in: the session that a request comes with, and logging out everywhere."""
