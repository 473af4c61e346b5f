"""Asking by text message how a case stands, for people who have neither WeChat nor a browser."""
