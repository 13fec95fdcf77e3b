# NixOS: `imports = [ ./traefik.nix ];`. Traefik looks for plugins below its working directory.
{ pkgs, ... }:
let
  plugin = pkgs.fetchzip {
    url = "https://github.com/traefik-jwt-auth/jwt/releases/download/v0.2.0/traefik-jwt-auth-local-v0.2.0.tar.gz";
    stripRoot = false;
    hash = pkgs.lib.fakeHash; # nixos-rebuild says the right one; compare it with SHA256SUMS of the release
  };
in
{
  services.traefik = {
    enable = true;
    staticConfigOptions = {
      entryPoints.web = {
        address = ":80";
        http.aliasHeadersStrategy = "delete";
      };
      experimental.localPlugins.jwt = {
        moduleName = "github.com/traefik-jwt-auth/jwt";
        # The same path on both sides: Traefik cannot give a mount another name for plugins that fetch.
        settings.mounts = [ "/var/lib/traefik/keys:/var/lib/traefik/keys" ];
      };
      log.level = "INFO";
    };
    dynamicConfigOptions.http = {
      middlewares.jwt.plugin.jwt = {
        issuer = "https://id.example.com";
        discovery = true;
        jwksCache.directory = "/var/lib/traefik/keys/fetched";
        audience = "orders";
        forwardHeaders.X-User = "sub";
      };
      routers.orders = {
        rule = "Host(`orders.example.com`)";
        middlewares = [ "jwt" ];
        service = "orders";
      };
      services.orders.loadBalancer.servers = [ { url = "http://127.0.0.1:9000"; } ];
    };
  };
  systemd.services.traefik.serviceConfig.WorkingDirectory = plugin;
  systemd.tmpfiles.rules = [ "d /var/lib/traefik/keys 0700 traefik traefik" ];
}
