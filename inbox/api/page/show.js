"use strict";

SwaggerUIBundle({
  url: "v1/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  displayOperationId: true,
  // A page's own calls need its CSRF token beside the cookie.
  requestInterceptor: async (request) => {
    if (request.method && request.method !== "GET" && !request.headers.Authorization) {
      const me = await fetch("v1/me");
      if (me.ok) request.headers["X-CSRF-Token"] = (await me.json()).csrf_token;
    }
    return request;
  },
});
