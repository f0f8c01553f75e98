"""The front door: loads the parts, adds the pages, mounts the routes, starts what runs beside them."""

import reflex as rx

from crm_app import parts
from crm_app.api import routes
from crm_app.components.theme import APP_KWARGS
from crm_app.jobs.process import web_process
from crm_app.pages import add_pages
from crm_app.state.base import handle_exception, keep_the_door
from crm_app.state.returning import Returning

parts.load()
app = rx.App(api_transformer=routes.around(), backend_exception_handler=handle_exception, **APP_KWARGS)
keep_the_door(app)
app.add_middleware(Returning())
app.register_lifespan_task(web_process)
add_pages(app)
