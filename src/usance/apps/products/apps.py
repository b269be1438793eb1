from django.apps import AppConfig


class ProductsConfig(AppConfig):
    name = "usance.apps.products"
    label = "products"
