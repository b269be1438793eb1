"""Where providers knock."""

app_name = "callbacks"
urlpatterns: list = []
