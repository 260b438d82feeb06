"""What is published, checked: it installs, and works, wherever it says that it does."""
