// Answers an address of the front end's own router with the application itself.
// A path whose last part has an ending (app.js, not v1.2) is a file, and so is all of /.well-known/.
function handler(event) {
  var request = event.request;
  var last = request.uri.split('/').pop();
  var isFile = /\.[A-Za-z][A-Za-z0-9]*$/.test(last) || request.uri.startsWith('/.well-known/');
  if (!isFile) {
    request.uri = '/index.html';
  }
  return request;
}
