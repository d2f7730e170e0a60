import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-es-bundle";
import "swagger-ui-dist/swagger-ui.css";
import { nothingMadeUp } from "./nothing-made-up";

/** `/docs`: the service's own OpenAPI document, to read and to try. Everything comes from the service. */
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  showExtensions: true,
  // Else the document goes to a validator on the internet.
  validatorUrl: null,
  plugins: [nothingMadeUp],
});
