/** What is used of Swagger UI's ES bundle, which brings no types. */
declare module "swagger-ui-dist/swagger-ui-es-bundle" {
  type Options = {
    url: string;
    dom_id: string;
    deepLinking: boolean;
    showExtensions: boolean;
    validatorUrl: string | null;
    plugins: object[];
  };
  export default function SwaggerUIBundle(options: Options): unknown;
}
