"""What goes along with an application: files, what a resident keeps here, and copies for themselves."""
